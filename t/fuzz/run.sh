#!/bin/sh
# Builds the harnesses with clang's libFuzzer and sanitizers, all of the source anew and apart from the ordinary build, and runs
# each. `make fuzz` calls it in the build folder. New inputs stay in fuzz/corpus/NAME, what crashed in fuzz/NAME-crash-*.
# usage: run.sh SECONDS NAME...   with srcdir, CLANG, FUZZ_SOURCES, FUZZ_CPPFLAGS, FUZZ_LIBS in the environment
set -eu
: "${CLANG:?is not set: clang with libFuzzer is needed (Debian: the group [fuzz] of debian-packages.txt); run configure again}"
seconds=$1
shift
flags="-std=gnu11 -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=undefined"
mkdir -p fuzz/objects

# compiles $1 for $2 (a sanitizer list) unless it was done after the last change
compile() {
    object=fuzz/objects/$(echo "$1" | tr / -).o
    if [ -e "$object" ] && [ -z "$(find "$srcdir/$1" "$srcdir/src" "$srcdir/t/fuzz/fuzz.h" -name '*.h' -newer "$object" -o \
            -path "$srcdir/$1" -newer "$object")" ]; then
        return
    fi
    $CLANG $flags "-fsanitize=$2" $FUZZ_CPPFLAGS -c -o "$object" "$srcdir/$1"
}

objects=
for source in $FUZZ_SOURCES t/fuzz/pool.c; do
    case $source in *.c) ;; *) continue ;; esac
    compile "$source" fuzzer-no-link,address,undefined
    objects="$objects $object"
done
# the names of the language that the reader knows: nobody guesses them
grep -oE '\b[EA]\([A-Za-z]+\)' "$srcdir/src/cxml/reader_private.h" | sed 's/^.(\(.*\))$/"\1"/' > fuzz/cxml.dict
cat "$srcdir/t/fuzz/cxml.dict" >> fuzz/cxml.dict
failed=
for name in "$@"; do
    compile "t/fuzz/fuzz_$name.c" fuzzer,address,undefined
    $CLANG -fsanitize=fuzzer,address,undefined -o "fuzz/$name" "$object" $objects $FUZZ_LIBS -ldl
    mkdir -p "fuzz/corpus/$name"
    dictionary=$srcdir/t/fuzz/$name.dict
    [ "$name" != cxml ] || dictionary=fuzz/cxml.dict
    echo "== fuzz $name, $seconds s"
    "fuzz/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 -print_final_stats=1 \
        -artifact_prefix="fuzz/$name-" -dict="$dictionary" "fuzz/corpus/$name" "$srcdir/t/fuzz/corpus/$name" \
        > "fuzz/$name.log" 2>&1 || failed="$failed $name"
    grep -E 'ERROR|not so:|runtime error|SUMMARY|^stat::(number|average)|Test unit written' "fuzz/$name.log" || :
done
[ -z "$failed" ] || { echo "found something:$failed (fuzz/NAME.log, fuzz/NAME-crash-*)"; exit 1; }
