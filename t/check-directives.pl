#!/usr/bin/perl
# Guard of `make check`: the directive table in C, docs/directives.md and conf/punchout.conf name exactly the same
# directives, with the same syntax in table and manual, and the manual gives each its Syntax, Default, Context and Status.
use strict;
use warnings;

my $top = shift || $ENV{srcdir} || '.';
my $wrong = 0;

sub slurp {
    my $file = "$top/$_[0]";
    open(my $fh, '<', $file) or die "$file: $!\n";
    local $/;
    return scalar <$fh>;
}

sub complain { print STDERR "@_\n"; $wrong++ }

my (%table, %manual, %sample);
my $source = slurp('src/config/directives.c');
while ($source =~ /\bX\("(<?)(PunchOut\w+)",\s*([^,]+),[^"]*"((?:[^"\\]|\\.)*)"\)/g) {
    my ($section, $name, $where, $usage) = ($1, $2, $3, $4);
    $table{ $section ? "<$name>" : $name } = { where => $where, usage => $usage };
}
die "src/config/directives.c: no directive table found\n" if keys %table < 10;

my $manual = slurp('docs/directives.md');
my @parts = split /^### /m, $manual;
shift @parts;
for (@parts) {
    s/&lt;/</g;
    s/&gt;/>/g;
    s/^## .*//ms;
    my ($name) = /^(\S+)/;
    complain("docs/directives.md: $name stands there twice") if $manual{$name};
    while (/^\| (\w+): \| (.+?) \|$/mg) { $manual{$name}{$1} = $2 }
    for my $line (qw(Description Syntax Default Context Status)) {
        complain("docs/directives.md: $name has no line \"$line:\"") unless $manual{$name}{$line};
    }
    complain("docs/directives.md: $name has no example") unless /^```apache\n.*?^```$/ms;
}

my $sample = slurp('conf/punchout.conf');
while ($sample =~ /^\s*(<?)(PunchOut\w+)/mg) { $sample{ $1 ? "<$2>" : $2 }++ }

my %seen = ('docs/directives.md' => \%manual, 'conf/punchout.conf' => \%sample);
for my $file (sort keys %seen) {
    for (sort keys %table) { complain("$file: $_ is missing") unless $seen{$file}{$_} }
    for (sort keys %{ $seen{$file} }) { complain("$file: $_ is no directive") unless $table{$_} }
}

# what C says about where a directive may stand, in the manual's words
my %words = (PROCESS => ['server config'], SITE => ['server config', 'virtual host'], BUYER => ['<PunchOutBuyer>'],
             HUB => ['<PunchOutHub>']);
for my $name (grep { $manual{$_} } sort keys %table) {
    my $should = join ', ', map { @{ $words{$_} || [] } } split /\s*\|\s*/, $table{$name}{where};
    my $is = $manual{$name}{Context} || '';
    my $syntax = $name =~ /^<(\w+)>/ ? "<$1 $table{$name}{usage}" : "$name $table{$name}{usage}";
    (my $shown = $manual{$name}{Syntax} || '') =~ s/[`\\]//g;
    complain("docs/directives.md: Syntax of $name is \"$shown\", in the table it is \"$syntax\"") if $shown ne $syntax;
    complain("docs/directives.md: Context of $name is \"$is\", in the table it is \"$should\"") if $is ne $should;
}

exit($wrong ? 1 : 0);
