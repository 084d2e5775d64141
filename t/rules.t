# The marketplace's rules, case by case: t/rules.tsv says what must follow of what, and each of its cells is looked at.
# RULES_ONLY=REGEX runs the rows whose name (situation/kind/pre/lines) it matches.
use strict;
use warnings FATAL => 'all';
use Apache::Test qw(-withtestmore);
use FindBin;
use lib "$FindBin::Bin/lib";
use PunchoutTest;
use PunchoutTest::Rules;

my @table = rules_table("$FindBin::Bin/rules.tsv");

# ---- the table is whole ----------------------------------------------------------------------------------------------

my %rows;
$rows{ $_->{name} }++ for @table;
is_deeply [grep { $rows{$_} > 1 } sort keys %rows], [], 'no case stands in the table twice';
my %situations = map { $_->{situation} => 1 } @table;
my @missing;
for my $situation (grep { !/^(each|separate)$/ } sort keys %situations) {
    for my $kind (qw(contract both usage-budget usage-open free byol trial)) {
        for my $pre (qw(off on)) {
            push @missing, grep { !$rows{$_} } map { "$situation/$kind/$pre/$_" } qw(classic single split);
        }
    }
}
is_deeply \@missing, [], 'each situation has a row for each pricing, pre-approval and lines mode';
is_deeply [grep { !$situations{$_} } qw(one-po two-pos changed-price changed-quantity changed-unit no-auxiliary update
    delete late test test-order hold-price accept-price twice update-delete each separate)], [],
    'and no situation is missing';
is_deeply [map { $_->{name} } grep { $_->{lines} eq 'classic' && $_->{cart} =~ /x[\d.]+:(?!43232701:)/ } @table], [],
    'UNSPSC 43232701 stands on every classic line';
my @cells = @PunchoutTest::Rules::CELLS;
my @noticed = map { join '|', map { /^(\w+)/ } differences($table[0], { %{ $table[0] }, $_ => 'another' }) } @cells;
is_deeply \@noticed, \@cells, 'one cell that differs is seen, whichever it is';

# ---- and everything in it is so --------------------------------------------------------------------------------------

my @chosen = @table;
@chosen = rules_sample(@table) if ($ENV{PUNCHOUT_MPM} || 'event') ne 'event';
@chosen = grep { $_->{name} =~ /$ENV{RULES_ONLY}/ } @table if $ENV{RULES_ONLY};
my %ran = map { $_->{situation} => 1 } @chosen;
is_deeply [sort keys %ran], [sort keys %situations], 'each situation is run' unless $ENV{RULES_ONLY};
my @seen = run_rules(4, @chosen);
for my $i (0 .. $#chosen) {
    my @wrong = differences($chosen[$i], $seen[$i]);
    is join("\n", @wrong), '', "$chosen[$i]{name}: $chosen[$i]{steps}";
    diag map { "the door said: $_\n" } @{ $seen[$i]{said} || [] } if @wrong && $ENV{RULES_ONLY};
}

Test::More::done_testing();
