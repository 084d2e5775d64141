#!/bin/sh
# Writes mail_builtin.c: the templates of conf/mail as C strings, so that mail works without any file installed.
# mail_builtin.sh FOLDER-OF-TEMPLATES > mail_builtin.c
set -e
echo '/* mail_builtin.c - made from conf/mail by mail_builtin.sh: edit those. */'
echo '#include "delivery/mail_text.h"'
echo
echo 'const char *const po_mail_builtin[PO_MAIL_KINDS][2] = {'
for kind in requested ready held failed expires changed cancelled; do
    for type in txt html; do
        [ $type = txt ] && echo '    {'
        sed -e 's/[\\"]/\\&/g' -e 's/^/        "/' -e 's/$/\\n"/' "$1/$kind.$type"
        [ $type = txt ] && echo '        ,'
    done
    echo '    },'
done
echo '};'
