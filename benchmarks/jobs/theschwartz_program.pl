# One measurement of TheSchwartz: prints a line of JSON.
# perl theschwartz_program.pl MEASURE DSN COUNT; the DSN is DBI's.
use strict;
use warnings;
use Time::HiRes qw(time);
use DBI;
use TheSchwartz;
use TheSchwartz::Worker;

my $done = 0;

package Bench;
use parent -norequire, 'TheSchwartz::Worker';
sub work { my ($class, $job) = @_; $job->completed; $done++ }

package main;
my ($measure, $dsn, $count) = @ARGV;
my $client = TheSchwartz->new(databases => [{ dsn => $dsn, user => 'hubbub', pass => '' }]);

sub job { TheSchwartz::Job->new(funcname => 'Bench', arg => { path => '/srv/pictures/2026/11/30/0001.jpeg', size => 320, stamp => 0 }) }

my $began = time;
if ($measure eq 'insert') {
    $client->insert(job()) or die "not inserted\n" for 1 .. $count;
} elsif ($measure eq 'bulk') {
    for (my $left = $count; $left > 0; $left -= 1000) {
        my @jobs = map { job() } 1 .. ($left < 1000 ? $left : 1000);
        my @handles = $client->insert_jobs(@jobs);
        die "not inserted\n" if grep { !$_ } @handles;
    }
} elsif ($measure eq 'work') {
    $client->can_do('Bench');
    $client->work_until_done;
    die "worked $done jobs of $count\n" if $done < $count;
} else {
    die "it has no measure $measure\n";
}
printf "{\"rate\": %f}\n", $count / (time - $began);
