# What is wrong in the configuration is found by configtest and never ends a running server. Needs no Apache::Test: it
# starts an httpd of its own. PUNCHOUT_SO and PUNCHOUT_HTTPD say which, PUNCHOUT_APXS which apxs to ask.
use strict;
use warnings FATAL => 'all';
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Copy qw(copy);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);

my $t = dirname(abs_path(__FILE__));
my $so = $ENV{PUNCHOUT_SO} || "$t/../.libs/mod_punchout.so";
my $apxs = $ENV{PUNCHOUT_APXS} || 'apxs';
chomp(my $modules = `$apxs -q LIBEXECDIR`);
my $httpd = $ENV{PUNCHOUT_HTTPD};
if (!$httpd) {
    chomp(my ($bin, $name) = map { scalar `$apxs -q $_` } qw(SBINDIR PROGNAME));
    $httpd = "$bin/$name";
}
BAIL_OUT("no module $so: make it, or set PUNCHOUT_SO") unless -e $so;
BAIL_OUT("no httpd $httpd: set PUNCHOUT_HTTPD") unless -x $httpd;

my $root = tempdir('punchout-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $root;
mkdir "$root/$_" for qw(logs state punchout htdocs);
chmod 0777, "$root/state";
my $port = do {
    my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die "socket: $!";
    $s->sockport;
};

# ---- configurations ------------------------------------------------------------------------------------------------

sub spew {
    my ($file, $text) = @_;
    open(my $fh, '>', $file) or die "$file: $!";
    print $fh $text;
    close $fh or die "$file: $!";
    return $file;
}

sub slurp { open(my $fh, '<', $_[0]) or return ''; local $/; return scalar <$fh> }

my %builtin = map { /^\s*(?:mod_)?(\w+)\.c/ ? ($1 => 1) : () } `$httpd -l`;
my @user = $> ? () : map { getpwnam($_) ? $_ : () } qw(nobody);

sub head {
    my %without = map { $_ => 1 } @_;
    my $text = "ServerRoot $root\nServerName localhost\nListen 127.0.0.1:$port\nPidFile logs/pid\n"
        . "ErrorLog logs/error_log\nLogLevel info\nDefaultRuntimeDir logs\nMutex fcntl:logs default\n"
        . "DocumentRoot htdocs\n";
    for ('mpm_' . ($ENV{PUNCHOUT_MPM} || 'event'), qw(authz_core authz_host unixd headers slotmem_shm socache_shmcb
         proxy proxy_http proxy_balancer lbmethod_byrequests ssl)) {
        next if $without{$_} || $builtin{$_} || !-e "$modules/mod_$_.so";
        $text .= "LoadModule ${_}_module $modules/mod_$_.so\n";
    }
    $text .= "User $user[0]\n" . (getgrnam('nogroup') ? "Group nogroup\n" : "Group $user[0]\n") if @user;
    return $text . "LoadModule punchout_module $so\n";
}

my @process = ("PunchOutStateDir $root/state", 'PunchOutSessionStore shm 4M');
my @site = ("PunchOutPublicURL http://localhost:$port", 'PunchOutIdentity DUNS 111111111',
    'PunchOutCatalog good.json');
my @acme = ('PunchOutCredential NetworkID AN01', 'PunchOutSharedSecret acme-secret',
    'PunchOutReturnHosts acme.example');

sub buyer { my ($name, @lines) = @_; return ("<PunchOutBuyer $name>", @lines, '</PunchOutBuyer>') }

my @location = ('<Location /punchout>', 'SetHandler punchout', '</Location>');
my @other = ('PunchOutCredential NetworkID AN02', 'PunchOutSharedSecret beta-secret',
    'PunchOutReturnHosts beta.example');

# a good configuration, with these lines besides
sub good { return join "\n", head(), @process, @site, buyer('acme', @acme), @location, @_, '' }
# one without the lines that match
sub but { my $pattern = shift; return join "\n", grep({ !/$pattern/ } split /\n/, good()), @_, '' }
sub beta { return good(buyer('beta', @_)) }

my $source = $ENV{PUNCHOUT_SRCDIR} || "$t/..";    # a build folder of its own holds t/ alone
spew("$root/good.json", slurp("$source/conf/catalog.example.json"));
spew("$root/bad.json", qq({"products":[\n{"id":"p",\n"offers": nonsense}]}\n));
chmod 0644, spew("$root/open-secret", "secret\n");
chmod 0600, spew("$root/closed-secret", "secret from a file\n");
chmod 0600, spew("$root/none-secret", " NONE \n");
chmod 0600, spew("$root/empty-secret", "\nsecond line\n");

# name => [configuration, directive, value as shown (or undef), what the line says]
my @wrong = (
    ['the scheme of a return host is foreign', beta(@other[0, 1], 'PunchOutReturnHosts beta.example ftp://x'),
     'PunchOutReturnHosts', 'ftp://x', 'https'],
    ['a public URL without a scheme', but('PublicURL', 'PunchOutPublicURL market.example'),
     'PunchOutPublicURL', 'market.example', 'absolute URL'],
    ['mail templates that are not there', good('PunchOutMailTemplates nowhere'),
     'PunchOutMailTemplates', 'nowhere', 'directory'],
    ['no public URL', but('PublicURL'), undef, undef, 'PunchOutPublicURL is missing'],
    ['a duration without a unit', good('PunchOutRequestTimeout 30'), 'PunchOutRequestTimeout', '30', '30d'],
    ['a session store that is too small', good('PunchOutSessionStore shm 4K'), 'PunchOutSessionStore', 'shm 4K',
     '1M'],
    ['a session that idles longer than it lasts', good('PunchOutSessionTimeout 8h 30m'), 'PunchOutSessionTimeout',
     '8h 30m', 'must not be shorter'],
    ['PostgreSQL', good('PunchOutLedger "pgsql:host=db"'), 'PunchOutLedger', 'pgsql:host=db', 'use sqlite:FILE'],
    ['an unknown word of PunchOutDelivery', good('PunchOutDelivery threads=4'), 'PunchOutDelivery', 'threads=4',
     'concurrency='],
    ['a directive of the process in a virtual host', good('<VirtualHost *:1>', 'PunchOutStateDir /x',
     '</VirtualHost>'), 'PunchOutStateDir', '/x', 'move it out of <VirtualHost>'],
    ['a directive of a buyer outside a block', good('PunchOutCurrency USD'), 'PunchOutCurrency', 'USD',
     'must stand inside <PunchOutBuyer>'],
    ['a directive of a site in a location', good('<Location /x>', 'PunchOutStartPage /', '</Location>'),
     'PunchOutStartPage', '/', 'move it out'],
    ['a misspelled directive in a block', beta(@other, 'PunchOutCurency USD'), 'PunchOutCurency', undef, 'spelling'],
    ['too few arguments', good('PunchOutIdentity DUNS'), 'PunchOutIdentity', 'DUNS', 'DOMAIN IDENTITY'],
    ['too many arguments', good('PunchOutStartPage / /x'), 'PunchOutStartPage', '/ /x', 'PunchOutStartPage PATH'],
    ['a start page at another host', good('PunchOutStartPage //evil.example/'), 'PunchOutStartPage',
     '//evil.example/', 'begins with one /'],
    ['an unknown profile', beta(@other, 'PunchOutProfile sap'), 'PunchOutProfile', 'sap', 'coupa'],
    ['a currency that is none', beta(@other, 'PunchOutCurrency usd'), 'PunchOutCurrency', 'usd', 'ISO 4217'],
    ['a price with an exponent as budget', good('PunchOutUsageBudget 1e3'), 'PunchOutUsageBudget', '1e3',
     'plain digits'],
    ['lines that there are none of', beta(@other, 'PunchOutLines each'), 'PunchOutLines', 'each', 'classic, single or split'],
    ['a mail server with a foreign scheme', good('PunchOutMail http://u:hidden@mail a@b.example'), 'PunchOutMail',
     'http://********@mail a@b.example', 'smtp'],
    ['a buyer without a credential', beta(@other[1, 2]), '<PunchOutBuyer>', 'beta', 'add PunchOutCredential'],
    ['a buyer without a secret', beta(@other[0, 2]), '<PunchOutBuyer>', 'beta', 'add PunchOutSharedSecret'],
    ['a buyer without a return host', beta(@other[0, 1]), '<PunchOutBuyer>', 'beta', 'add PunchOutReturnHosts'],
    ['a secret that says none', beta(@other[0, 2], 'PunchOutSharedSecret none'), 'PunchOutSharedSecret', '********',
     'file:PATH'],
    ['an empty secret', beta(@other[0, 2], 'PunchOutSharedSecret ""'), 'PunchOutSharedSecret', '********',
     'file:PATH'],
    ['a third secret', beta(@other, map { "PunchOutSharedSecret hidden-$_" } 1 .. 2), 'PunchOutSharedSecret',
     '********', 'remove one'],
    ['a secret file that everybody can read', beta(@other[0, 2], 'PunchOutSharedSecret file:open-secret'),
     'PunchOutSharedSecret', 'file:open-secret', 'chmod o-r'],
    ['a secret file that is not there', beta(@other[0, 2], 'PunchOutSharedSecret file:nowhere'),
     'PunchOutSharedSecret', 'file:nowhere', "can't be read"],
    ['a secret file whose first line is empty', beta(@other[0, 2], 'PunchOutSharedSecret file:empty-secret'),
     'PunchOutSharedSecret', 'file:empty-secret', 'first line is empty'],
    ['a secret command that fails', beta(@other[0, 2], 'PunchOutSharedSecret exec:/bin/false'),
     'PunchOutSharedSecret', 'exec:/bin/false', 'command failed'],
    ['a word behind a secret that is none', beta(@other[0, 2], 'PunchOutSharedSecret hidden-1 hidden-2'),
     'PunchOutSharedSecret', '******** ********', 'quote a secret that holds blanks'],
    ['a secret that expires at no date', beta(@other[0, 2], 'PunchOutSharedSecret hidden-1 until=tomorrow'),
     'PunchOutSharedSecret', '******** until=tomorrow', 'timestamp with its offset'],
    ['a secret that expires at local time', beta(@other[0, 2], 'PunchOutSharedSecret hidden-1 until=2037-01-01T00:00:00'),
     'PunchOutSharedSecret', '******** until=2037-01-01T00:00:00', 'timestamp with its offset'],
    ['a secret that expires before it counts', beta(@other[0, 2],
     'PunchOutSharedSecret hidden-1 until=2037-01-01T00:00:00Z from=2037-01-01T01:00:00+01:00'), 'PunchOutSharedSecret',
     '******** until=2037-01-01T00:00:00Z from=2037-01-01T01:00:00+01:00', 'must be earlier'],
    ['a secret command that expires at no date', beta(@other[0, 2], 'PunchOutSharedSecret exec:/bin/echo x until=soon'),
     'PunchOutSharedSecret', 'exec:/bin/echo x until=soon', 'timestamp with its offset'],
    ['a secret that says None', beta(@other[0, 2], 'PunchOutSharedSecret " None "'), 'PunchOutSharedSecret', '********',
     'file:PATH'],
    ['a secret of blanks', beta(@other[0, 2], 'PunchOutSharedSecret "  "'), 'PunchOutSharedSecret', '********',
     'file:PATH'],
    ['a secret file that says NONE', beta(@other[0, 2], 'PunchOutSharedSecret file:none-secret'), 'PunchOutSharedSecret',
     'file:none-secret', 'none is no secret'],
    ['a certificate without a name', beta(@other, 'PunchOutClientCertificate acme'), 'PunchOutClientCertificate', 'acme',
     'SSL_CLIENT_S_DN'],
    ['a fingerprint that is too short', beta(@other, 'PunchOutClientCertificate sha256:ab:cd'),
     'PunchOutClientCertificate', 'sha256:ab:cd', '64 hex digits'],
    ['an unknown way to authenticate', beta(@other, 'PunchOutAuthentication mac'), 'PunchOutAuthentication', 'mac',
     'certificate or both'],
    ['a certificate that is asked for and not named', beta(@other, 'PunchOutAuthentication both'), '<PunchOutBuyer>',
     'beta', 'add PunchOutClientCertificate'],
    ['a secret that is asked for and not there', beta(@other[0, 2], 'PunchOutClientCertificate CN=beta',
     'PunchOutAuthentication secret'), '<PunchOutBuyer>', 'beta', 'add PunchOutSharedSecret'],
    ['a hub that asks for a certificate and names none', good('<PunchOutHub net>', 'PunchOutSender D s',
     'PunchOutSharedSecret hidden-1', 'PunchOutAuthentication certificate', '</PunchOutHub>'), '<PunchOutHub>', 'net',
     'add PunchOutClientCertificate'],
    ['a limit without a name', beta(@other, 'PunchOutLimit 100'), 'PunchOutLimit', '100', 'part=100'],
    ['a limit of nothing', beta(@other, 'PunchOutLimit part=0'), 'PunchOutLimit', 'part=0', 'from 1 to 65535'],
    ['forbidden characters beyond ASCII', beta(@other, "PunchOutForbidden \xc3\xa4"), 'PunchOutForbidden', '\xc3\xa4',
     'or none'],
    ['no forbidden character', beta(@other, 'PunchOutForbidden ""'), 'PunchOutForbidden', '', 'or none'],
    ['a switch that is half on', beta(@other, 'PunchOutASCII yes'), 'PunchOutASCII', 'yes', 'on or off'],
    ['a start elsewhere that is half on', beta(@other, 'PunchOutStartElsewhere 1'), 'PunchOutStartElsewhere', '1',
     'on or off'],
    ['a page for drafts on a foreign host', beta(@other, 'PunchOutRequestRedirect https://evil.example/'),
     'PunchOutRequestRedirect', 'https://evil.example/', 'PunchOutReturnHosts'],
    ['a page for drafts that is none', beta(@other, 'PunchOutRequestRedirect javascript:x'), 'PunchOutRequestRedirect',
     'javascript:x', 'https'],
    ['a host to sign on of no scheme', good('PunchOutSignOnHosts ftp://x'), 'PunchOutSignOnHosts', 'ftp://x', 'https'],
    ['a token that lives for days', good('PunchOutOpenBuyToken 2h'), 'PunchOutOpenBuyToken', '2h', 'an hour at most'],
    ['a token that is used twice', good('PunchOutOpenBuyToken 5m twice'), 'PunchOutOpenBuyToken', '5m twice',
     'once or reuse'],
    ['a rate of nothing', beta(@other, 'PunchOutOpenBuyRate 0'), 'PunchOutOpenBuyRate', '0', 'from 1 to'],
    ['an unknown member', beta(@other, 'PunchOutOpenBuyField cost price'), 'PunchOutOpenBuyField', 'cost price',
     'source_part_num'],
    ['a member that is left out and needed', beta(@other, 'PunchOutOpenBuyField price -'), 'PunchOutOpenBuyField',
     'price -', "can't be left out"],
    ['a member named like the token', beta(@other, 'PunchOutOpenBuyField name token'), 'PunchOutOpenBuyField',
     'name token', "Coupa's own"],
    ['a name that is a number', beta(@other, 'PunchOutOpenBuyField name title number'), 'PunchOutOpenBuyField',
     'name title number', 'may be number'],
    ['a member renamed twice', beta(@other, 'PunchOutOpenBuyField uom unit', 'PunchOutOpenBuyField uom u'),
     'PunchOutOpenBuyField', 'uom u', 'remove one'],
    ['two members of one name', beta(@other, 'PunchOutOpenBuyField price name'), '<PunchOutBuyer>', 'beta',
     'name and price would both be'],
    ['the Open Buy credentials of another buyer', good(buyer('beta', @other, 'PunchOutOpenBuyCredentials hidden-9'),
     buyer('gamma', 'PunchOutCredential NetworkID AN03', @other[1, 2], 'PunchOutOpenBuyCredentials hidden-9')),
     '<PunchOutBuyer>', 'gamma', 'Credentials of buyer beta'],
    ['documents in clear', beta(@other, 'PunchOutPost http://acme.example/cxml invoice'), 'PunchOutPost', 'http://acme.example/cxml invoice', 'write an https URL'],
    ['a name that begins like this machine', beta(@other, 'PunchOutPost http://127.0.0.1.evil.example/ invoice'), 'PunchOutPost', 'http://127.0.0.1.evil.example/ invoice', 'write an https URL'],
    ['two secrets for documents', beta(@other, 'PunchOutPostSecret one', 'PunchOutPostSecret two'), 'PunchOutPostSecret', '********', 'remove the other line'],
    ['a DTD of no version', beta(@other, 'PunchOutPostDTD 1.3'), 'PunchOutPostDTD', '1.3', 'three digits'],
    ['certificates that are none', good('PunchOutCACertificateFile nothing.pem'), 'PunchOutCACertificateFile', 'nothing.pem', 'certificates in PEM'],
    ['a document that nobody sends', beta(@other, 'PunchOutDocuments receipt'), 'PunchOutDocuments', 'receipt',
     'none alone'],
    ['documents and none', beta(@other, 'PunchOutDocuments none invoice'), 'PunchOutDocuments', 'none invoice',
     'none alone'],
    ['user data of another kind', beta(@other, 'PunchOutUserData phone Phone'), 'PunchOutUserData', 'phone Phone',
     'user, email or name'],
    ['user data from an unknown place', beta(@other, 'PunchOutUserData name Contact/Phone'), 'PunchOutUserData',
     'name Contact/Phone', 'Contact/Email'],
    ['identities in another case', beta(@other, 'PunchOutIdentityCase lower'), 'PunchOutIdentityCase', 'lower',
     'exact or ignore'],
    ['two buyers that differ in case alone, one of which ignores it', beta('PunchOutCredential NetworkID an01',
     @other[1, 2], 'PunchOutIdentityCase ignore'), '<PunchOutBuyer>', 'beta', 'acme'],
    ['a DTD before 1.1.010', beta(@other, 'PunchOutDTD 1.1.007'), 'PunchOutDTD', '1.1.007', '1.1.010'],
    ['an unknown hub', beta(@other, 'PunchOutVia nobody'), 'PunchOutVia', 'nobody', 'no <PunchOutHub> of this name'],
    ['a hub without a secret', good('<PunchOutHub net>', 'PunchOutSender D s', '</PunchOutHub>'), '<PunchOutHub>',
     'net', 'add PunchOutSharedSecret'],
    ['a buyer named twice', good(buyer('acme', @other)), '<PunchOutBuyer>', 'acme', 'named twice'],
    ['two buyers with the same credential', beta('PunchOutCredential networkid AN01', @other[1, 2]),
     '<PunchOutBuyer>', 'beta', 'acme'],
    ['a catalog that is no JSON', but('Catalog', 'PunchOutCatalog bad.json'), 'PunchOutCatalog', "$root/bad.json",
     'bad.json:3'],
    ['a catalog that is not there', but('Catalog', 'PunchOutCatalog nowhere.json'), 'PunchOutCatalog',
     "$root/nowhere.json", 'nowhere.json'],
    ['a price finer than a buyer takes', beta(@other, 'PunchOutPriceDecimals 2'), 'PunchOutCatalog', "$root/good.json",
     'buyer beta takes 2'],
    ['a fulfillment target that mod_proxy cannot reach', good('PunchOutFulfillment ftp://x/'),
     'PunchOutFulfillment', 'ftp://x/', 'http https balancer'],
    ['a balancer without a member', good('PunchOutFulfillment balancer://none/x'), 'PunchOutFulfillment',
     'balancer://none/x', 'BalancerMember'],
    ['mod_proxy_http missing', join("\n", head('proxy_http'), @process, @site, @location,
     'PunchOutFulfillment http://x/', ''), 'PunchOutFulfillment', 'http://x/', 'mod_proxy_http'],
);
my @wrong_tls = (
    ['an https target whose certificate nobody checks', good('PunchOutFulfillment https://backend.example/x'),
     'PunchOutFulfillment', 'https://backend.example/x', 'SSLProxyVerify require'],
    ['an https member whose certificate nobody checks', good('PunchOutFulfillment balancer://b/x',
     '<Proxy balancer://b>', 'BalancerMember https://backend.example', 'SSLProxyEngine on',
     'SSLProxyVerify optional', '</Proxy>'),
     'PunchOutFulfillment', 'balancer://b/x', 'SSLProxyVerify require'],
);
push @wrong, @wrong_tls if -e "$modules/mod_ssl.so";

# ---- configtest ----------------------------------------------------------------------------------------------------

sub run {
    my @command = @_;
    my $pid = open(my $out, '-|');
    die "fork: $!" unless defined $pid;
    if (!$pid) {
        open(STDERR, '>&', \*STDOUT);
        exec(@command) or exit 127;
    }
    local $/;
    my $text = <$out>;
    close $out;
    return ($? >> 8, defined $text ? $text : '');
}

sub configtest { my ($text, @more) = @_; return run($httpd, '-t', '-f', spew("$root/test.conf", $text), @more) }

sub line_of {
    my ($text, $directive, $value, $says) = @_;
    my $shown = defined $value ? qr/ "\Q$value\E"/ : qr//;
    my $start = defined $directive ? qr/PO\d{4}: \Q$directive\E$shown \(\S+:\d+\): / : qr/PO\d{4}: /;
    return scalar grep { /$start/ && index($_, $says) >= 0 } split /\n/, $text;
}

for (@wrong) {
    my ($name, $text, $directive, $value, $says) = @$_;
    my ($rc, $out) = configtest($text);
    isnt $rc, 0, "configtest refuses $name";
    ok line_of($out, $directive, $value, $says), '... with a line that says directive,
        value and what to change' or diag $out;
    unlike $out, qr/hidden/, '... and no secret';
}

my @right = (
    ['the smallest configuration', good()],
    ['secrets from a file and from a command', beta(@other[0, 2], 'PunchOutSharedSecret file:closed-secret',
     'PunchOutSharedSecret exec:/bin/echo "two words"')],
    ['secrets with their validity', beta(@other[0, 2], 'PunchOutSharedSecret file:closed-secret until=2037-01-01T00:00:00Z',
     'PunchOutSharedSecret exec:/bin/echo "two words" from=2036-12-01T00:00:00+01:00')],
    ['every override of a profile', beta(@other, 'PunchOutDTD 1.1.010', 'PunchOutLimit shortname=40 part=50',
     'PunchOutForbidden none', 'PunchOutASCII off', 'PunchOutCartField cxml-urlencoded', 'PunchOutTransientHTTP 500',
     'PunchOutPriceDecimals 6', 'PunchOutUnit HUR HR', 'PunchOutUserData user UniqueName "Employee Number"',
     'PunchOutIdentityCase ignore')],
    ['a price finer than a buyer takes whom nobody sells it', beta(@other, 'PunchOutPriceDecimals 2',
     'PunchOutSellers "Nobody Ltd"')],
    ['two buyers that differ in case alone', beta('PunchOutCredential NetworkID an01', @other[1, 2])],
    ['a buyer with a certificate and no secret', beta(@other[0, 2], 'PunchOutClientCertificate CN=beta',
     'PunchOutClientCertificate sha256:' . join(':', ('Ab') x 32))],
    ['no directive of ours', head()],
    ['conditions inside a block', beta(@other, '<IfDefine !X>', 'PunchOutCurrency USD', '</IfDefine>',
     '<IfModule nothing.c>', 'Nonsense', '</IfModule>')],
    ['a directive in other capitals', good('punchoutSTARTpage "/shop/"')],
    ['everything about Open Buy', beta(@other, 'PunchOutOpenBuyCredentials file:closed-secret',
     'PunchOutOpenBuyCredentials "beta:two words" until=2037-01-01T00:00:00Z', 'PunchOutOpenBuyField price cost number',
     'PunchOutOpenBuyField name price', 'PunchOutOpenBuyField lead_time -', 'PunchOutOpenBuyRate none') .
     "PunchOutOpenBuyToken 30s reuse\nPunchOutSignOnHosts login.acme.example\n"],
    ['an http backend', good('PunchOutFulfillment http://127.0.0.1:9/x')],
    ['a balancer with a member', good('PunchOutFulfillment balancer://b/x', '<Proxy balancer://b>',
     'BalancerMember http://127.0.0.1:9', '</Proxy>')],
    ['the same credential in two virtual hosts', good('<VirtualHost *:1>', 'PunchOutPublicURL https://two.example',
     buyer('beta', 'PunchOutCredential NetworkID AN01', @other[1, 2]), buyer('acme', @other), '</VirtualHost>')],
);
push @right, ['an https backend whose certificate is checked', good('PunchOutFulfillment https://backend.example/x',
    '<Proxy "https://backend.example/">', 'SSLProxyEngine on', 'SSLProxyVerify require', '</Proxy>')]
    if -e "$modules/mod_ssl.so";
for (@right) {
    my ($name, $text) = @$_;
    my ($rc, $out) = configtest($text);
    is $rc, 0, "configtest accepts $name" or diag $out;
}

for (['every secret of a block has expired', beta(@other[0, 2],
         map { "PunchOutSharedSecret hidden-$_ until=2001-01-0${_}T00:00:00Z" } 1, 2), 'has expired'],
     ['all that a block says for Open Buy has expired', beta(@other, 'PunchOutOpenBuyCredentials hidden-9 until=2001-01-01T00:00:00Z'),
      "can't call Open Buy"],
     ['certificates are wanted and mod_ssl is not there', join("\n", head('ssl'), @process, @site, buyer('acme', @acme,
         'PunchOutClientCertificate CN=acme'), @location, ''), 'mod_ssl is not loaded']) {
    my ($name, $text, $says) = @$_;
    my ($rc, $out) = configtest($text);
    is $rc, 0, "configtest passes when $name";
    like $out, qr/PO\d{4}: <PunchOutBuyer> .*\Q$says\E/, '... and warns';
    unlike $out, qr/hidden/, '... and shows no secret';
}
{
    my ($rc, $out) = configtest(beta(@other[0, 2], 'PunchOutSharedSecret hidden-1 until=2001-01-01T00:00:00Z',
        'PunchOutSharedSecret hidden-2'));
    unlike $out, qr/has expired/, 'one secret that still counts is enough';
}

{
    my ($rc, $out) = configtest(good('PunchOutSessionStore shm 8M shared'));
    is $rc, 0, 'configtest accepts a store for several machines';
    like $out, qr/accepted but not carried out in this version/, '... and says that nothing comes of it';
    ($rc, $out) = configtest(beta(@other, 'PunchOutProfile ariba', 'PunchOutRequestRedirect https://beta.example/'));
    is $rc, 0, 'a page for drafts of a buyer that has none is no mistake';
    like $out, qr/PO0093:.*PunchOutStartElsewhere on/, '... but said';
}

{
    my ($rc, $out) = configtest(beta(@other, 'PunchOutProfile coupa', 'PunchOutPost https://acme.example/ confirmation'));
    is $rc, 0, 'an address for documents that the profile does not take is no mistake';
    like $out, qr/PO0353:.*"beta".*PunchOutDocuments/, '... but said';
    ($rc, $out) = configtest(beta(@other, 'PunchOutPost http://127.0.0.1:8081/cxml confirmation', 'PunchOutPostSecret hidden', 'PunchOutPostDTD 1.2.050'));
    is $rc, 0, 'documents may go to this machine by http';
    unlike $out, qr/hidden|PO0353|PO0354|not carried out/, '... and no more is said';
}
for my $line ('PunchOutApprovals separate', 'PunchOutApprovals together', 'PunchOutActivate each', 'PunchOutActivate all') {
    my ($rc, $out) = configtest(beta(@other, $line));
    is $rc, 0, "configtest accepts $line";
    unlike $out, qr/not carried out/, '... and it is carried out';
}

# standard output alone: what else httpd says goes to standard error
sub dump_of {
    my $file = spew("$root/test.conf", $_[0]);
    open(my $fh, '-|', "'$httpd' -t -f '$file' -D DUMP_PUNCHOUT 2>/dev/null") or die "httpd: $!";
    local $/;
    my $text = <$fh>;
    close $fh;
    return ($? >> 8, $text);
}

# ---- the dump ------------------------------------------------------------------------------------------------------

{
    my ($rc, $out) = dump_of(good('PunchOutMail smtp://u:hidden@127.0.0.1 a@b.example'));
    is $rc, 0, 'the dump succeeds';
    my $json = eval { require JSON::PP; JSON::PP::decode_json($out) };
    ok $json, 'the dump is JSON' or diag $out;
    is $json->{sites}[0]{buyers}[0]{name}, 'acme', '... and names the buyers';
    is $json->{sites}[0]{buyers}[0]{lines}, 'classic', '... and what their lines are';
    is $json->{sites}[0]{buyers}[0]{approvals}, 'together', '... and how their approvals are asked for';
    is_deeply $json->{sites}[0]{buyers}[0]{secrets},
        [{ value => '********', source => 'configuration', from => undef, until => undef }], '... but not their secrets';
    is $json->{sites}[0]{mailURL}, 'smtp://********@127.0.0.1', '... nor the password of the mail server';
    is $json->{ledger}, "$root/state/ledger.db", '... and where the ledger is';
}
{
    my $text = good('<PunchOutHub net>', 'PunchOutSender D s', 'PunchOutSharedSecret file:closed-secret',
        'PunchOutClientCertificate CN=net', 'PunchOutAuthentication both', '</PunchOutHub>',
        buyer('beta', @other[0, 2], 'PunchOutProfile oracle', 'PunchOutVia net', 'PunchOutIdentityCase ignore',
              'PunchOutSharedSecret exec:/bin/echo hidden until=2037-01-01T01:00:00+01:00',
              'PunchOutUserData name Contact/Name', 'PunchOutUserData name FullName', 'PunchOutForbidden none',
              'PunchOutLimit description=80', 'PunchOutASCII off', 'PunchOutStartElsewhere off',
              'PunchOutDocuments confirmation'));
    my ($rc, $out) = dump_of($text);
    unlike $out, qr/hidden|secret from a file/, 'the dump shows no secret, wherever it comes from';
    my $site = JSON::PP::decode_json($out)->{sites}[0];
    my ($hub, $beta) = ($site->{hubs}[0], $site->{buyers}[1]);
    is_deeply [map { $_->{source} } @{ $hub->{secrets} }], ["file:$root/closed-secret"], '... but says where it comes from';
    is_deeply $beta->{secrets},
        [{ value => '********', source => 'exec', from => undef, until => '2037-01-01T00:00:00+00:00' }],
        '... and when it counts';
    is_deeply [$hub->{clientCertificates}, $hub->{authentication}, $beta->{authentication}],
        [[{ subject => 'CN=net', sha256 => undef }], 'both', 'any'], '... and what else proves a Sender';
    is_deeply [@$beta{qw(via identityCase userData)}],
        ['net', 'ignore', { user => undef, email => undef, name => ['Contact/Name', 'FullName'] }],
        '... and who speaks for a buyer, and where its shopper is named';
    is_deeply $beta->{profile}, { name => 'oracle', dtd => '1.1.010', cartField => 'cxml-urlencoded',
        cartBase64 => JSON::PP::false(), asciiOnly => JSON::PP::false(), partBytes => 100, descriptionBytes => 80,
        shortNameBytes => 50, priceDecimals => 8, forbidden => '', transientHTTP => 503,
        startElsewhere => JSON::PP::false(), confirmation => JSON::PP::true(), invoice => JSON::PP::false(), postDTD => '1.2.020' },
        '... and every value of its profile';
}

# ---- the sample ----------------------------------------------------------------------------------------------------

copy("$source/conf/catalog.example.json", "$root/punchout/catalog.example.json");
mkdir "$root/punchout/mail";
copy($_, "$root/punchout/mail") for glob("$source/conf/mail/*");
for my $define ([], ['-D', 'PUNCHOUT_EXAMPLE']) {
    my ($rc, $out) = configtest(head() . "Include $source/conf/punchout.conf\n", @$define);
    is $rc, 0, "conf/punchout.conf passes configtest @$define" or diag $out;
}

{
    my $config = good('PunchOutMail smtp://127.0.0.1:25 m@market.example', 'PunchOutMailTemplates punchout/mail');
    is +(configtest($config))[0], 0, 'own mail templates pass configtest';
    spew("$root/punchout/mail/held.txt", "Subject: Held\n{{#reason}}\n{{because}}\n{{/reason}}\n");
    my ($rc, $out) = configtest($config);
    isnt $rc, 0, 'a mail template with an unknown name does not';
    like $out, qr{punchout/mail/held\.txt: there is no value named because}, 'and is named with its mistake';
    unlink "$root/punchout/mail/held.txt";
    is +(configtest($config))[0], 0, 'a template that is missing is the built-in one';
}

# ---- a running server ----------------------------------------------------------------------------------------------

my $live = "$root/live.conf";
sub pid { my $p = slurp("$root/logs/pid"); chomp $p; return $p }

# the status of GET /punchout/setup, 0: nobody answers
sub answers {
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 2) or return 0;
    print $s "GET /punchout/setup HTTP/1.0\r\n\r\n";
    my $line = <$s>;
    return defined $line && $line =~ m{^HTTP/\S+ (\d+)} ? $1 : 0;
}

sub wait_for {
    my ($seconds, $what) = @_;
    for (my $end = time + $seconds; time < $end; sleep 0.05) { return 1 if $what->() }
    return 0;
}

sub log_from { my $log = slurp("$root/logs/error_log"); return substr $log, $_[0] }

# a restart with the configuration in place is over, or the server has gone
sub restarted {
    my ($from) = @_;
    return wait_for(15, sub { !kill(0, pid()) || log_from($from) =~ /resuming normal operations/ });
}

spew($live, good());
my ($rc, $out) = run($httpd, '-f', $live, '-k', 'start');
is $rc, 0, 'a good server starts' or diag $out;
ok wait_for(15, sub { -s "$root/logs/pid" && answers() }),
    '... and answers' or BAIL_OUT(slurp("$root/logs/error_log"));
END {
    my $status = $?;
    if ($root && -s "$root/logs/pid") {
        kill 'TERM', pid();
        wait_for(10, sub { !-e "$root/logs/pid" });
    }
    $? = $status;
}

my $parent = pid();
for (@wrong) {
    my ($name, $text) = @$_;
    spew($live, $text);
    my ($status, $said) = run($httpd, '-f', $live, '-k', 'graceful');
    isnt $status, 0, "graceful refuses $name";
    ok answers() && kill(0, $parent), '... and the server goes on';
}

for (@wrong) {
    my ($name, $text, $directive, $value, $says) = @$_;
    my $from = -s "$root/logs/error_log";
    spew($live, $text);
    kill 'USR1', $parent;
    ok restarted($from) && kill(0, $parent) && wait_for(10, \&answers),
        "a raw SIGUSR1 with $name leaves the server running"
        or BAIL_OUT(slurp("$root/logs/error_log"));
    like log_from($from), qr/:crit\].*PO\d{4}: .*\Q$says\E/, '... and says at level crit what is wrong';
}

sub compiled { return map { m{(\w{64})\.db\z} } glob "$root/state/catalog-*.db" }
{
    my %before = map { $_ => 1 } compiled();
    spew("$root/good.json", slurp("$root/good.json") . "\n");
    configtest(good());
    is_deeply [grep { !$before{$_} } compiled()], [], 'configtest compiles nothing';
    spew($live, good('PunchOutOpenBuyToken 2h'));
    run($httpd, '-f', $live, '-k', 'graceful');
    my ($new) = grep { !$before{$_} } compiled();
    ok $new, 'a changed catalog is compiled before the server is told to restart';
    for my $change ('', "\n", "\n\n") {
        my $from = -s "$root/logs/error_log";
        spew("$root/good.json", slurp("$root/good.json") . $change);
        spew($live, good());
        run($httpd, '-f', $live, '-k', 'graceful');
        ok restarted($from) && wait_for(10, \&answers), 'the restart takes it';
    }
    my %left = map { $_ => 1 } compiled();
    cmp_ok scalar(keys %left), '<=', 2, 'the one in use and the one before are kept, no others';
    ok !$left{$new}, '... and older ones removed';
}

{
    my $from = -s "$root/logs/error_log";
    spew($live, good());
    kill 'USR1', $parent;
    ok restarted($from) && wait_for(10, \&answers), 'a mended configuration is taken';
    unlike log_from($from), qr/:crit\]/, '... without complaint';
}

done_testing;
