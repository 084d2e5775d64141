# Demo::Page - what both parties of the demo need to answer a browser: escaping, the frame of a page, redirects.
package Demo::Page;
use v5.26;
use warnings;
use feature 'signatures';
no warnings 'experimental::signatures';
use Encode qw(encode_utf8);
use Exporter qw(import);

our @EXPORT_OK = qw(escape page redirect json_answer text_answer status_chip);

my %ENTITY = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;', '"' => '&quot;', "'" => '&#39;');

# For XML and HTML, text and attributes alike. undef gives nothing.
sub escape ($text) {
    return '' if !defined $text;
    $text =~ s/([&<>"'])/$ENTITY{$1}/g;
    return $text;
}

my $STYLE = do { local $/; <DATA> };

# %frame: party (name in the band), place (whose system this is), accent (CSS colour), nav ([label, href] ...), here (href of
# the current page), banner (HTML above the content), headers ([name => value ...]).
sub page ($status, $title, $body, %frame) {
    my $nav = join '', map {
        my ($label, $href) = @$_;
        my $current = $href eq ($frame{here} // '') ? ' aria-current="page"' : '';
        '<a href="' . escape($href) . qq{"$current>} . escape($label) . '</a>';
    } @{ $frame{nav} // [] };
    my ($party, $place, $head) = map { escape($_) } @frame{qw(party place)}, $title;
    my $html = <<"HTML";
<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>$head - $party</title><link rel="icon" href="data:,"><style>:root{--accent:$frame{accent}}$STYLE</style></head>
<body><header><div class="wide"><a class="party" href="/">$party<small>$place</small></a><nav>$nav</nav></div></header>
@{[ $frame{banner} // '' ]}
<main class="wide">
$body
</main></body></html>
HTML
    return [
        $status,
        [
            'Content-Type'  => 'text/html; charset=utf-8',
            'Cache-Control' => 'no-store',
            @{ $frame{headers} // [] },
        ],
        [encode_utf8($html)],
    ];
}

# 303: the browser asks for the place with GET, whatever brought it here.
sub redirect ($url) {
    return [303, [Location => $url, 'Content-Type' => 'text/plain', 'Cache-Control' => 'no-store'], ["$url\n"]];
}

sub text_answer ($status, $text) {
    return [$status, ['Content-Type' => 'text/plain; charset=utf-8'], [encode_utf8("$text\n")]];
}

sub json_answer ($status, $json, $type = 'application/json') {
    return [$status, ['Content-Type' => $type], [$json]];
}

# A small coloured word; kind is good, wait, bad or plain.
sub status_chip ($text, $kind = 'plain') {
    return qq{<span class="chip $kind">} . escape($text) . '</span>';
}

1;
__DATA__
*{box-sizing:border-box}
body{margin:0;font:16px/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif;
color:#1f2933;background:#f6f7f9}
.wide{max-width:1120px;margin:0 auto;padding:0 24px}
header{background:var(--accent);color:#fff}
header .wide{display:flex;flex-wrap:wrap;align-items:center;gap:8px 32px;padding-top:16px;padding-bottom:16px}
.party{font-size:20px;font-weight:650;color:#fff;text-decoration:none;line-height:1.3}
.party small{display:block;font-size:13px;font-weight:400;opacity:.85}
nav{display:flex;flex-wrap:wrap;gap:4px;margin-left:auto}
nav a{color:#fff;text-decoration:none;padding:6px 12px;border-radius:6px;font-size:15px}
nav a:hover,nav a[aria-current]{background:rgba(255,255,255,.18)}
main.wide{padding-top:32px;padding-bottom:64px}
h1{font-size:28px;line-height:1.25;margin:0 0 8px}
h2{font-size:19px;margin:32px 0 12px}
h3{font-size:17px;margin:0 0 4px;line-height:1.35}
p{margin:0 0 12px}
a{color:var(--accent)}
.muted{color:#5b6875}
.small{font-size:14px}
.lead{color:#5b6875;margin-bottom:28px;max-width:46em}
.banner{background:#fff;border-bottom:1px solid #e1e6eb;font-size:15px}
.banner .wide{display:flex;flex-wrap:wrap;gap:8px 24px;align-items:center;padding-top:10px;padding-bottom:10px}
.banner .end{margin-left:auto;display:flex;flex-wrap:wrap;gap:8px 16px;align-items:center}
.banner.test{background:#fff4d6;border-color:#efd48a}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(250px,1fr));gap:20px}
.card{background:#fff;border:1px solid #e1e6eb;border-radius:12px;padding:20px;min-width:0}
.grid.two{grid-template-columns:repeat(auto-fill,minmax(min(340px,100%),1fr))}
a.card{color:inherit;text-decoration:none;display:flex;flex-direction:column;gap:10px}
a.card:hover{border-color:var(--accent);box-shadow:0 2px 12px rgba(0,0,0,.07)}
a.card p{margin:0}
a.card .chips{margin-top:auto}
.stack>*+*{margin-top:16px}
.product{display:flex;gap:20px;align-items:flex-start}
.product{margin-bottom:24px}
.product img{flex:none}
.head{display:flex;gap:14px;align-items:center}
.head img{border-radius:10px;flex:none}
img{display:block;border-radius:12px}
.chips{display:flex;flex-wrap:wrap;gap:6px}
.chip{display:inline-block;font-size:13px;line-height:1.4;padding:2px 10px;border-radius:99px;background:#edf0f3;color:#45525e;
white-space:nowrap}
.chip.good{background:#dcf3e4;color:#13612f}
.chip.wait{background:#fdf0cd;color:#77540a}
.chip.bad{background:#fbe0dd;color:#92231b}
.price{font-size:24px;font-weight:650;line-height:1.3}
.price small{font-size:15px;font-weight:400;color:#5b6875}
.offer.chosen{border-color:var(--accent);box-shadow:0 0 0 1px var(--accent)}
.offer .chips{margin-bottom:10px}
.product .lead{margin-bottom:0}
.offer{display:grid;grid-template-columns:1fr 290px;gap:8px 32px}
label{display:block;font-size:14px;color:#45525e;margin-bottom:12px}
label.check{display:flex;gap:8px;align-items:flex-start}
label.check input{margin:5px 0 0;flex:none}
input[type=text],input[type=email],input[type=search],input[type=number],select{display:block;width:100%;
margin-top:4px;padding:9px 12px;font:inherit;color:inherit;background:#fff;border:1px solid #bcc6cf;border-radius:8px}
button,.button{display:inline-block;font:inherit;font-weight:600;line-height:1.4;color:#fff;background:var(--accent);
border:1px solid var(--accent);border-radius:8px;padding:9px 18px;cursor:pointer;text-decoration:none}
button:hover{filter:brightness(1.1)}
button.quiet,.button.quiet{background:#fff;color:var(--accent)}
button.link{background:none;border:0;padding:0;font-weight:400;color:var(--accent);text-decoration:underline}
button:disabled{background:#e4e8ec;border-color:#e4e8ec;color:#5b6875;cursor:not-allowed;filter:none}
:focus-visible{outline:3px solid #f2b632;outline-offset:2px}
.search{display:flex;gap:10px;margin-bottom:28px;max-width:560px}
.search input,.search select{margin:0;flex:1}
.search.who{max-width:none;flex-wrap:wrap;margin-top:16px}
.search.who select{flex:0 1 330px}
.search.who input{flex:1 1 220px}
.hit{display:flex;flex-direction:column;gap:12px}
.hit>p{margin:0}
.hit>.row{margin-top:auto;gap:8px}
.pager{margin-top:24px}
.row{display:flex;flex-wrap:wrap;gap:10px;align-items:center}
.row form{margin:0}
.scroll{overflow-x:auto;background:#fff;border:1px solid #e1e6eb;border-radius:12px;margin-bottom:16px}
table{border-collapse:collapse;width:100%;font-size:15px}
th,td{text-align:left;padding:10px 16px;border-bottom:1px solid #edf0f3;vertical-align:top}
tr:last-child td{border-bottom:0}
th{font-size:13px;font-weight:600;color:#5b6875;white-space:nowrap}
td.num,th.num{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
td.when{white-space:nowrap}
td.id{overflow-wrap:anywhere;min-width:9em}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 20px;margin:0 0 16px;font-size:15px}
dt{color:#5b6875}dd{margin:0;min-width:0;overflow-wrap:anywhere}
pre{margin:0;padding:20px;background:#fff;border:1px solid #e1e6eb;border-radius:12px;overflow-x:auto;
font:13px/1.55 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
pre.text{white-space:pre-wrap;overflow-wrap:anywhere;font:inherit;font-size:15px}
.note{border-left:4px solid var(--accent);background:#fff;padding:14px 18px;border-radius:0 10px 10px 0;margin:0 0 20px}
.note.bad{border-color:#b3372d}
.note>:last-child{margin-bottom:0}
.empty{padding:40px 24px;text-align:center;color:#5b6875;background:#fff;border:1px dashed #ccd4db;border-radius:12px}
@media(max-width:640px){
.wide{padding-left:16px;padding-right:16px}
main.wide{padding-top:24px}
nav{margin-left:-12px}
nav a{padding:6px 10px}
.banner .end{margin-left:0}
.offer{grid-template-columns:1fr}
.product{flex-direction:column;gap:16px}
.search.who select{flex-basis:100%}
h1{font-size:24px}
dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:8px}
th,td{padding:10px 8px}
.stack-narrow thead{display:none}
.stack-narrow tr{display:block;padding:10px 0;border-bottom:1px solid #edf0f3}
.stack-narrow tr:last-child{border-bottom:0}
.stack-narrow td{display:flex;gap:16px;justify-content:space-between;border:0;padding:3px 14px;text-align:right;min-width:0}
.stack-narrow td:before{content:attr(data-label);color:#5b6875;font-size:13px;flex:none;line-height:1.9}
.stack-narrow td:empty{display:none}
}
