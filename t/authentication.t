# Who may speak for whom, and what proves it: over HTTP, and with client certificates over TLS.
use strict;
use warnings FATAL => 'all';
use Apache::Test qw(-withtestmore);
use Digest::SHA qw(hmac_sha1);
use File::Temp qw(tempdir);
use FindBin;
use IO::Socket::INET;
use lib "$FindBin::Bin/lib";
use MIME::Base64 qw(encode_base64);
use POSIX qw(strftime);
use PunchoutTest;
use Time::HiRes qw(sleep time);

my $url = base_url('authentication') . '/punchout/setup';
my $log = Apache::Test::vars('t_logs') . '/error_log';
my ($root, $pid_file);                    # of the server with mod_ssl

# ---- documents -----------------------------------------------------------------------------------------------------

my $us = [DUNS => 'market-1'];

# each [domain, identity, attributes, what stands behind Identity]
sub credential {
    my ($domain, $identity, $attributes, $inner) = @{ $_[0] };
    return "<Credential domain=\"$domain\"" . ($attributes || '') . "><Identity>$identity</Identity>" . ($inner || '')
        . '</Credential>';
}

# sender: its credentials, of which the first shows secret and mac
sub document {
    my %o = (to => [$us], @_);
    my ($sender, @further) = @{ $o{sender} || [$o{from}[0]] };
    my $proof = (defined $o{secret} ? "<SharedSecret>$o{secret}</SharedSecret>" : '') . ($o{mac} || '');
    $sender = [@$sender[0, 1], $sender->[2], $proof];
    return '<?xml version="1.0" encoding="UTF-8"?><cXML payloadID="' . payload_id()
        . '" timestamp="2026-11-23T10:00:00+00:00"><Header><From>' . join('', map { credential($_) } @{ $o{from} })
        . '</From><To>' . join('', map { credential($_) } @{ $o{to} })
        . '</To><Sender>' . join('', map { credential($_) } $sender, @further)
        . '<UserAgent>Test Procurement 1.0</UserAgent></Sender></Header><Request><PunchOutSetupRequest operation="create">'
        . '<BuyerCookie>bc</BuyerCookie><BrowserFormPost><URL>https://buyer.example/return</URL></BrowserFormPost>'
        . '</PunchOutSetupRequest></Request></cXML>';
}

sub stamp { return strftime('%Y-%m-%dT%H:%M:%S+00:00', gmtime(time + $_[0])) }

# CredentialMac of a Sender for From, valid from .. to seconds from now
sub mac_of {
    my ($key, $from, $sender, $begin, $end, %o) = @_;
    my ($created, $expires) = (stamp($begin), stamp($end));
    my $data = join '', map { "$_\0" } (map { lc } @$from[0, 1], @$sender[0, 1]), $created, $expires;
    my $value = substr encode_base64(hmac_sha1($data, $key), ''), 0, 16;
    my $type = $o{type} || 'FromSenderCredentials';
    return "<CredentialMac type=\"$type\" algorithm=\"HMAC-SHA1-96\" creationDate=\"$created\" "
        . 'expirationDate="' . ($o{says} ? stamp($o{says}) : $expires) . "\">$value</CredentialMac>";
}

sub log_from {
    open(my $fh, '<', $log) or die "$log: $!";
    seek $fh, $_[0], 0;
    local $/;
    return scalar <$fh>;
}

my %refusals;
# the Status, and what the log says about a refusal
sub judged {
    my ($document) = @_;
    my $from = -s $log;
    my $r = post_cxml($url, $document);
    my $status = status_of($r) || 'HTTP ' . $r->code;
    (my $text = $r->content) =~ s/ (?:payloadID|timestamp)="[^"]*"//g;
    $refusals{$text}++ if $status eq '401';
    my ($why) = log_from($from) =~ /PO0104: \S+ refused: (.*)/;
    return ($status, defined $why ? $why : '');
}

sub accepted {
    my ($name, @document) = @_;
    my ($status, $why) = judged(document(@document));
    is $status, 200, $name or diag $why;
}

sub refused {
    my ($name, $says, @document) = @_;
    my ($status, $why) = judged(document(@document));
    is $status, 401, "$name is refused";
    like $why, qr/\Q$says\E/, '... and the log says why';
    unlike $why, qr/secret-/, '... without the secret';
}

# ---- direct and through a hub ----------------------------------------------------------------------------------------

my $acme = [DUNS => 'buyer-1'];
my $umbrella = [NetworkID => 'AN01000000201'];
my $hub = [NetworkID => 'AN01000000200'];
my $oscorp = [NetworkID => 'AN01000000202'];

accepted 'a buyer speaks for itself', from => [$acme], secret => 'acme-secret';
accepted 'a hub speaks for a buyer that names it', from => [$umbrella], sender => [$hub], secret => 'secret-hub';
refused 'a buyer of a hub that speaks directly', 'through its PunchOutVia only', from => [$umbrella], secret => 'secret-hub';
refused 'the same with its own secret', 'through its PunchOutVia only', from => [$umbrella], secret => 'secret-umbrella';
refused 'a hub that speaks for a stranger to it', 'may not speak for buyer acme', from => [$acme], sender => [$hub],
    secret => 'secret-hub';
refused 'a hub with the secret of that stranger', 'may not speak for buyer acme', from => [$acme], sender => [$hub],
    secret => 'acme-secret';
refused 'a hub with a wrong secret', 'wrong SharedSecret', from => [$umbrella], sender => [$hub], secret => 'secret-guess';
refused 'a hub for nobody we know', 'no PunchOutBuyer for From', from => [[NetworkID => 'AN0']], sender => [$hub],
    secret => 'secret-hub';
refused 'a buyer with the name and secret of another', 'may not speak for buyer oscorp', from => [$oscorp],
    sender => [$acme], secret => 'acme-secret';
refused 'From that names two buyers', 'names two buyers, acme and oscorp', from => [$acme, $oscorp], sender => [$acme],
    secret => 'acme-secret';
accepted 'a stranger beside the buyer in From is harmless', from => [[VendorID => '7'], $acme], sender => [$acme],
    secret => 'acme-secret';

# ---- secrets --------------------------------------------------------------------------------------------------------

my $stark = [NetworkID => 'AN01000000203-T'];
accepted 'the first slot of a rotation', from => [$stark], secret => 'secret-stark';
refused 'a slot that has expired', 'expired SharedSecret', from => [$oscorp], secret => 'secret-oscorp-old';
refused 'a slot whose time has not come', 'not valid yet', from => [$stark], secret => 'secret-stark-next';
accepted 'the other slot beside an expired one', from => [$oscorp], secret => 'secret-oscorp';
refused "the word $_", 'wrong SharedSecret', from => [$acme], secret => $_ for qw(none None NONE);
refused 'an empty secret', 'no SharedSecret', from => [$acme], secret => '';
refused 'no secret', 'no SharedSecret', from => [$acme];
refused 'a secret in other capitals', 'wrong SharedSecret', from => [$acme], secret => 'ACME-secret';
accepted 'an identity in other capitals where the buyer says so', from => [[NetworkID => 'AN01000000203-t']],
    secret => 'secret-stark';
refused 'an identity in other capitals elsewhere', 'no PunchOutBuyer', from => [[DUNS => 'BUYER-1']],
    secret => 'acme-secret';
is scalar(keys %refusals), 1, 'every refusal is answered with the same text';

# ---- CredentialMac ----------------------------------------------------------------------------------------------------

{
    my $good = mac_of('secret-oscorp', $oscorp, $oscorp, -60, 600);
    my ($status, $why) = judged(document(from => [$oscorp], mac => $good));
    is $status, 200, 'a good CredentialMac' or diag $why;
    accepted 'a CredentialMac of a hub', from => [$umbrella], sender => [$hub],
        mac => mac_of('secret-hub', $umbrella, $hub, -60, 600);
    accepted 'CredentialMac and SharedSecret, both right', from => [$oscorp], mac => $good, secret => 'secret-oscorp';
    refused 'a right CredentialMac with a wrong SharedSecret', 'wrong SharedSecret', from => [$oscorp], mac => $good,
        secret => 'secret-guess';
    refused 'a forged CredentialMac', 'wrong CredentialMac', from => [$oscorp],
        mac => mac_of('secret-guess', $oscorp, $oscorp, -60, 600);
    refused 'a forged CredentialMac with a right SharedSecret', 'wrong CredentialMac', from => [$oscorp],
        mac => mac_of('secret-guess', $oscorp, $oscorp, -60, 600), secret => 'secret-oscorp';
    refused 'an expired CredentialMac', 'expired CredentialMac', from => [$oscorp],
        mac => mac_of('secret-oscorp', $oscorp, $oscorp, -600, -60);
    refused 'a CredentialMac whose life was prolonged', 'wrong CredentialMac', from => [$oscorp],
        mac => mac_of('secret-oscorp', $oscorp, $oscorp, -600, -60, says => 600);
    refused 'a CredentialMac of tomorrow', 'yet to come', from => [$oscorp],
        mac => mac_of('secret-oscorp', $oscorp, $oscorp, 3600, 7200);
    accepted 'a clock that is two minutes fast', from => [$oscorp],
        mac => mac_of('secret-oscorp', $oscorp, $oscorp, 120, 7200);
    refused 'a CredentialMac under an expired secret', 'wrong CredentialMac', from => [$oscorp],
        mac => mac_of('secret-oscorp-old', $oscorp, $oscorp, -60, 600);
    refused 'a CredentialMac of another type', 'another type', from => [$oscorp],
        mac => mac_of('secret-oscorp', $oscorp, $oscorp, -60, 600, type => 'SenderCredentials');
    my $stranger = [NetworkID => 'AN09'];
    refused 'a CredentialMac for a stranger beside the buyer', 'wrong CredentialMac', from => [$stranger, $umbrella],
        sender => [$hub], mac => mac_of('secret-hub', $stranger, $hub, -60, 600);
    is scalar(keys %refusals), 1, 'these refusals are answered with the same text, too';
}

# ---- marketplace credentials -------------------------------------------------------------------------------------------

{
    my $type = ' type="marketplace"';
    my ($status, $why) = judged(document(from => [[@$acme, $type]], secret => 'acme-secret'));
    is $status, 401, 'From that is a marketplace alone is refused';
    like $why, qr/marketplace DUNS buyer-1/, '... and the log says so';
    accepted 'the company beside it counts', from => [[DUNS => 'bazaar', $type], $acme], sender => [$acme],
        secret => 'acme-secret';
    accepted 'To and Sender may be marketplaces', from => [$acme], to => [[@$us, $type]], sender => [[@$acme, $type]],
        secret => 'acme-secret';
}

# ---- client certificates: a server of its own, for certificates have to be there when it starts ---------------------------

my $apxs = $ENV{PUNCHOUT_APXS} || 'apxs';
chomp(my $modules = `$apxs -q LIBEXECDIR`);
SKIP: {
    skip 'there is no mod_ssl', 1 unless -e "$modules/mod_ssl.so";
    tls_tests();
}
done_testing;

END {
    my $status = $?;
    if ($pid_file && -s $pid_file) {
        chomp(my $pid = PunchoutTest::Parties::slurp($pid_file));
        kill 'TERM', $pid;
        for (1 .. 200) { last unless -e $pid_file; sleep 0.05 }
    }
    $? = $status;
}

sub openssl { system("cd '$root' && openssl $_[0] >>openssl.log 2>&1") == 0 or die "openssl $_[0]: " . PunchoutTest::Parties::slurp("$root/openssl.log") }

# NAME.pem and NAME.key, signed by an authority
sub make_certificate {
    my ($name, $authority, $subject) = @_;
    openssl("req -newkey rsa:2048 -nodes -keyout $name.key -out $name.csr -subj '$subject'");
    openssl("x509 -req -in $name.csr -CA $authority.pem -CAkey $authority.key -CAcreateserial -days 2 -out $name.pem");
}

sub make_authority {
    my ($name) = @_;
    openssl("req -x509 -newkey rsa:2048 -nodes -keyout $name.key -out $name.pem -days 2 -subj '/CN=$name'");
}

sub tls_configuration {
    my ($port, $fingerprint) = @_;
    my %builtin = map { /^\s*(?:mod_)?(\w+)\.c/ ? ($1 => 1) : () } `$ENV{PUNCHOUT_HTTPD} -l`;
    my $load = join '', map { $builtin{$_} || !-e "$modules/mod_$_.so" ? () : "LoadModule ${_}_module $modules/mod_$_.so\n" }
        'mpm_' . ($ENV{PUNCHOUT_MPM} || 'event'), qw(authz_core unixd headers slotmem_shm socache_shmcb proxy proxy_http ssl);
    my $so = $ENV{PUNCHOUT_SO} || "$FindBin::Bin/../.libs/mod_punchout.so";
    my $user = $> ? '' : "User nobody\nGroup " . (getgrnam('nogroup') ? 'nogroup' : 'nobody') . "\n";
    my $buyer = sub {
        my ($name, @lines) = @_;
        return join("\n", "<PunchOutBuyer $name>", "PunchOutCredential NetworkID $name", 'PunchOutReturnHosts buyer.example',
            @lines, '</PunchOutBuyer>', '');
    };
    my $subject = 'PunchOutClientCertificate "CN=punchout.acme.example,O=Acme Ltd"';
    return "ServerRoot $root\nServerName localhost\nListen 127.0.0.1:$port\nPidFile logs/pid\nErrorLog logs/error_log\n"
        . "LogLevel info punchout:debug\nDefaultRuntimeDir logs\nMutex fcntl:logs default\nDocumentRoot htdocs\n$load$user"
        . "LoadModule punchout_module $so\nPunchOutStateDir $root/state\nPunchOutSessionStore shm 4M\n"
        . "PunchOutPublicURL https://localhost:$port\nPunchOutIdentity DUNS market-1\n"
        . "SSLEngine on\nSSLCertificateFile server.pem\nSSLCertificateKeyFile server.key\nSSLCACertificateFile authority.pem\n"
        # lets a certificate of a foreign authority through, so that it is mod_punchout which has to refuse it
        . "SSLVerifyClient optional_no_ca\n"
        . $buyer->('named', $subject)
        . $buyer->('fingerprint', "PunchOutClientCertificate sha256:$fingerprint")
        . $buyer->('any', $subject, 'PunchOutSharedSecret secret-any')
        . $buyer->('both', $subject, 'PunchOutSharedSecret secret-both', 'PunchOutAuthentication both')
        . $buyer->('secret', 'PunchOutSharedSecret secret-secret')
        . "<Location /punchout>\nSetHandler punchout\n</Location>\n";
}

# The Status of a setup over TLS; %o: certificate (a name), headers, and what document() takes
sub over_tls {
    my ($port, $name, %o) = @_;
    my $document = document(from => [[NetworkID => $name]], %o);
    my $request = "POST /punchout/setup HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nConnection: close\r\n"
        . ($o{headers} || '') . 'Content-Length: ' . length($document) . "\r\n\r\n$document";
    open(my $fh, '>', "$root/request") or die "$root/request: $!";
    print $fh $request;
    close $fh;
    my $with = $o{certificate} ? "-cert '$root/$o{certificate}.pem' -key '$root/$o{certificate}.key'" : '';
    my $answer = `openssl s_client -quiet -connect 127.0.0.1:$port $with < '$root/request' 2>>'$root/openssl.log'`;
    return $answer =~ /<Status code="(\d+)"/ ? $1 : "no Status: $answer";
}

sub start_tls {
    my ($port) = @_;
    $pid_file = "$root/logs/pid";
    local %ENV = %ENV;
    $ENV{LD_PRELOAD} = $ENV{PUNCHOUT_PRELOAD} if $ENV{PUNCHOUT_PRELOAD};
    $ENV{ASAN_OPTIONS} = 'detect_leaks=0' if $ENV{PUNCHOUT_PRELOAD};
    my $said = `'$ENV{PUNCHOUT_HTTPD}' -f '$root/httpd.conf' -k start 2>&1`;
    return wait_for(20, sub { IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port", Timeout => 1) })
        || diag $said, PunchoutTest::Parties::slurp("$root/logs/error_log");
}

sub tls_tests {
    $root = tempdir('punchout-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    chmod 0755, $root;
    mkdir "$root/$_" for qw(logs state htdocs);
    chmod 0777, "$root/state";
    make_authority($_) for qw(authority rogue);
    make_certificate('server', 'authority', '/CN=localhost');
    make_certificate('acme', 'authority', '/O=Acme Ltd/CN=punchout.acme.example');
    make_certificate('globex', 'authority', '/O=Globex/CN=punchout.globex.example');
    make_certificate('forged', 'rogue', '/O=Acme Ltd/CN=punchout.acme.example');
    my ($fingerprint) = `openssl x509 -in '$root/acme.pem' -noout -fingerprint -sha256` =~ /=([0-9A-F:]+)/;
    my $port = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')->sockport;
    PunchoutTest::Parties::spew("$root/httpd.conf", tls_configuration($port, $fingerprint));
    ok start_tls($port), 'a server with mod_ssl starts' or return;

    my @headers = (headers => join '', map { "$_\r\n" } 'SSL_CLIENT_VERIFY: SUCCESS', 'SSL-Client-Verify: SUCCESS',
        'X-SSL-Client-Verify: SUCCESS', 'SSL_CLIENT_S_DN: CN=punchout.acme.example,O=Acme Ltd',
        'X-SSL-Client-S-DN: CN=punchout.acme.example,O=Acme Ltd');
    my @rows = (
        [200, 'a certificate known by its name', 'named', certificate => 'acme'],
        [200, 'a certificate known by its fingerprint', 'fingerprint', certificate => 'acme'],
        [401, 'no certificate', 'named'],
        [401, 'no certificate, but headers that claim one', 'named', @headers],
        [401, 'the certificate of somebody else', 'named', certificate => 'globex'],
        [401, 'the certificate of somebody else, by its fingerprint', 'fingerprint', certificate => 'globex'],
        [401, 'a certificate of that name from a foreign authority', 'named', certificate => 'forged'],
        [200, 'the secret none beside a certificate where no secret is configured', 'named', certificate => 'acme',
         secret => 'none'],
        [401, 'the secret none alone', 'named', secret => 'none'],
        [200, 'a secret where either suffices', 'any', secret => 'secret-any'],
        [200, 'a certificate where either suffices', 'any', certificate => 'acme'],
        [401, 'a right certificate with a wrong secret', 'any', certificate => 'acme', secret => 'secret-guess'],
        [401, 'a foreign certificate alone where either suffices', 'any', certificate => 'globex'],
        [200, 'both where both are asked for', 'both', certificate => 'acme', secret => 'secret-both'],
        [401, 'a secret alone where both are asked for', 'both', secret => 'secret-both'],
        [401, 'a certificate alone where both are asked for', 'both', certificate => 'acme'],
        [401, 'a certificate where only a secret is configured', 'secret', certificate => 'acme'],
        [200, 'a secret where only a secret is configured', 'secret', secret => 'secret-secret', certificate => 'globex'],
    );
    for (@rows) {
        my ($status, $what, $name, %o) = @$_;
        is over_tls($port, $name, %o), $status, "$what: Status $status";
    }
    unlike PunchoutTest::Parties::slurp("$root/logs/error_log"), qr/secret-/, 'the log shows no secret';
}
