#!/usr/bin/perl
# coverage.pl OBJECTS SOURCES LEAST: how many lines of each source file the tests ran, and of all; fails below LEAST percent.
# Lines are counted once, whatever objects they were compiled into.
use strict;
use warnings;

my ($objects, $sources, $least) = @ARGV;
my $gcov = $ENV{GCOV} || 'gcov';
my %lines;      # file -> line -> how often it ran

sub read_gcov {
    my ($gcda) = @_;
    my $file;
    open my $in, '-|', $gcov, '--stdout', $gcda or die "$gcov: $!";
    while (<$in>) {
        my ($count, $line, $rest) = /^\s*([^:]+):\s*(\d+):(.*)/ or next;
        if (!$line) { $file = $1 if $rest =~ /^Source:(.*)/; next }
        next if $count eq '-' || $file !~ m{(?:^|/)\Q$sources\E[^/]+\.c$};
        $lines{$file}{$line} += $count =~ /^(\d+)/ ? $1 : 0;
    }
    close $in or die "$gcov failed";
}

read_gcov($_) for glob "$objects/*.gcda";
my ($all, $ran) = (0, 0);
for my $file (sort keys %lines) {
    my @counts = values %{ $lines{$file} };
    my $hit = grep { $_ } @counts;
    (my $name = $file) =~ s{.*(?=\Q$sources\E)}{};
    printf "%-28s %4d of %4d lines  %5.1f %%\n", $name, $hit, scalar @counts, 100 * $hit / @counts;
    if ($ENV{COVERAGE_MISSED}) {
        print "    not reached: ", join(' ', sort { $a <=> $b } grep { !$lines{$file}{$_} } keys %{ $lines{$file} }), "\n";
    }
    $all += @counts;
    $ran += $hit;
}
die "no coverage data in $objects\n" if !$all;
printf "%-28s %4d of %4d lines  %5.1f %%\n", 'all', $ran, $all, 100 * $ran / $all;
exit($ran * 100 < $least * $all);
