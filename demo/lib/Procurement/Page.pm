# Procurement::Page - the frame of the procurement system's pages and what several of them show.
package Procurement::Page;
use v5.26;
use warnings;
use feature 'signatures';
no warnings 'experimental::signatures';
use Exporter qw(import);
use Demo::Page qw(escape page);

our @EXPORT_OK = qw(office_page table reasons not_found person_text person_select);

sub office_page ($status, $title, $body, $here = '', %more) {
    return page($status, $title, $body, %more,
        party  => 'Acme Procurement',
        place  => 'You are in the procurement system',
        accent => '#8a4b08',
        nav    => [['Catalog', '/'], ['Requisitions', '/requisitions'], ['Orders', '/orders'],
            ['Documents', '/documents'], ['Mailbox', '/mailbox']],
        here => $here);
}

sub person_text ($person) { return escape("$person->{first} $person->{last}, $person->{email}") }

# A choice of one person of those of these connections; the value is CONNECTION/LOGIN. $chosen: the value to begin with.
sub person_select ($chosen, @connections) {
    my $options = join '', map {
        my $connection = $_;
        map {
            my $value = "$connection->{name}/$_->{login}";
            my $selected = $value eq $chosen ? ' selected' : '';
            '<option value="' . escape($value) . qq{"$selected>} . person_text($_) . '</option>';
        } @{ $connection->{people} };
    } @connections;
    return qq{<select name="who" aria-label="Who are you?">$options</select>};
}

# @columns: [heading, class]; @rows: lists of HTML cells. On a narrow screen each row becomes a small list.
sub table ($columns, @rows) {
    my $head = join '', map {
        my ($name, $class) = @$_;
        qq{<th class="@{[ $class // '' ]}">} . escape($name) . '</th>';
    } @$columns;
    my $body = join '', map {
        my $row = $_;
        '<tr>' . join('', map {
            my ($name, $class) = @{ $columns->[$_] };
            '<td class="' . ($class // '') . '" data-label="' . escape($name) . '">'
                . (length $row->[$_] ? "<span>$row->[$_]</span>" : '') . '</td>';
        } 0 .. $#$row) . '</tr>';
    } @rows;
    return qq{<div class="scroll"><table class="stack-narrow"><thead><tr>$head</tr></thead>}
        . "<tbody>$body</tbody></table></div>";
}

sub reasons ($title, @faults) {
    return qq{<div class="note bad"><h3>$title</h3><ul>} . join('', map { '<li>' . escape($_) . '</li>' } @faults)
        . '</ul></div>';
}

sub not_found () {
    return office_page(404, 'Not found', '<h1>Not found</h1><p>There is no such page. <a href="/">To the catalog</a></p>');
}

1;
