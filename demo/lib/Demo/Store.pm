# Demo::Store - records as JSON files below one directory, safe between the worker processes of a server.
package Demo::Store;
use v5.26;
use warnings;
use feature 'signatures';
no warnings 'experimental::signatures';
use Fcntl qw(:flock);
use File::Path qw(make_path);
use JSON::PP ();

my $JSON = JSON::PP->new->utf8->canonical->pretty;

sub new ($class, $dir) {
    make_path($dir);
    return bless { dir => $dir }, $class;
}

# The next number of a kind, from 1001, never given twice.
sub next_number ($self, $kind) {
    return $self->locked($kind, sub {
        my $number = (read_file("$self->{dir}/$kind.number") // 1000) + 1;
        replace_file("$self->{dir}/$kind.number", $number);
        return $number;
    });
}

# Runs the code while no other process is in here for the same name.
sub locked ($self, $name, $code) {
    open my $lock, '>>', "$self->{dir}/$name.lock" or die "can't open $self->{dir}/$name.lock: $!\n";
    flock $lock, LOCK_EX or die "can't lock $self->{dir}/$name.lock: $!\n";
    return $code->();
}

sub put ($self, $kind, $id, $record) {
    make_path("$self->{dir}/$kind");
    replace_file($self->path($kind, $id), $JSON->encode($record));
    return $record;
}

# undef when there is no such record (or no such id can exist).
sub get ($self, $kind, $id) {
    return undef if !defined $id || $id !~ /\A[\w-]+\z/;
    my $text = read_file($self->path($kind, $id)) // return undef;
    return $JSON->decode($text);
}

# The newest records of a kind, at most so many, the newest first. Ids end in a number that grows.
sub newest ($self, $kind, $most = 200) {
    opendir my $dir, "$self->{dir}/$kind" or return;
    my @ids = sort { length $b <=> length $a || $b cmp $a } map { /\A(.+)\.json\z/ ? $1 : () } readdir $dir;
    splice @ids, $most if @ids > $most;
    return map { $self->get($kind, $_) // () } @ids;
}

sub path ($self, $kind, $id) { return "$self->{dir}/$kind/$id.json" }

sub read_file ($path) {
    open my $file, '<', $path or return undef;
    local $/;
    return scalar <$file>;
}

sub replace_file ($path, $bytes) {
    my $new = "$path.$$";
    open my $file, '>', $new or die "can't write $new: $!\n";
    print {$file} $bytes;
    close $file or die "can't write $new: $!\n";
    rename $new, $path or die "can't rename $new: $!\n";
    return;
}

1;
