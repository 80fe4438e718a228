"""Jobs by STOMP with the clients that people use, and the thumbnail service of the documents with programs in Perl."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hub.jobs import Jobs
from tests.support import ROOT, require, wait_until
from tests.system.rabbitmq import RabbitMQ
from tests.system.server import program
from tests.system.stomp_socket import StompSocket
from tests.system.test_stomp_clients import LISTENER, run
from tests.system.test_stomp_jobs import JobHub
from tests.system.walkthrough import Walk, Write, steps

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]
PAGE = ROOT / "docs" / "jobs-stomp.rst"
CONSUMER = """\
from pathlib import Path

from hub import Consumer


class Work(Consumer):
    queue = "work"

    def consume(self, message):
        with (Path(__file__).parent / "done").open("a") as file:
            file.write(f"{message.body.decode()} {message.headers['priority']} {message.headers.get('key')}\\n")
"""
PERL_ADD = """
use Net::Stomp;
my $client = Net::Stomp->new({hostname => "127.0.0.1", port => $ARGV[0]});
$client->connect({login => "guest", passcode => "guest"});
for my $number (1 .. 50) {
    my %job = (destination => "/queue/work", body => "job $number", key => $number, priority => 4 + $number % 2);
    $client->send_with_receipt(\\%job) or die "no receipt";
}
$client->send_transactional({destination => "/queue/work", body => "last"}) or die "no receipt";
$client->disconnect;
"""
PERL_WORK = """
use Net::Stomp;
my $client = Net::Stomp->new({hostname => "127.0.0.1", port => $ARGV[0]});
$client->connect({login => "guest", passcode => "guest"});
$client->subscribe({destination => "/queue/work", ack => "client", "activemq.prefetchSize" => 1});
for (1 .. 10) {
    my $job = $client->receive_frame({timeout => 60}) or die "no job";
    print $job->body, " ", $job->headers->{"attempt"}, " ", $job->headers->{"key"}, "\\n";
    $client->ack({frame => $job});
}
$client->disconnect;
"""
RUBY_WORK = """
require "stomp"
headers = {"accept-version" => "1.2", "host" => "localhost", "heart-beat" => "10000,10000"}
hosts = [{:login => "guest", :passcode => "guest", :host => "127.0.0.1", :port => ARGV[0].to_i, :ssl => false}]
client = Stomp::Connection.new({:hosts => hosts, :connect_headers => headers, :reliable => false})
client.subscribe("/queue/work", {"id" => "1", "ack" => "client-individual", "prefetch-count" => "1"}, "1")
10.times do
  job = client.receive
  puts [job.body, job.headers["attempt"], job.headers["key"]].join(" ")
  client.ack(job.headers["ack"], {"id" => job.headers["ack"]})
end
client.unsubscribe("/queue/work", {"id" => "1"}, "1")
client.publish("/queue/work", "from ruby", {"tags" => "a,b", "persistent" => "true"})
client.disconnect({:receipt => "bye"})
"""
STOMP_PY = (
    LISTENER
    + """
client = stomp.Connection12([("127.0.0.1", int(sys.argv[1]))], heartbeats=(10000, 10000))
client.set_listener("", Listener())
client.connect("guest", "guest", wait=True)
client.send("/queue/work", "a", receipt="sent", headers={"max-retries": "1"})
assert receipts.get(timeout=60) == "sent"
client.subscribe("/queue/work", "1", ack="client-individual")
job = found.get(timeout=60)
print(job.body, job.headers["attempt"])
client.nack(job.headers["ack"], requeue="false")
client.disconnect(receipt="bye")
assert receipts.get(timeout=60) == "bye"
"""
)


def perl() -> str:
    found = program("perl", "perl")
    known = subprocess.run([found, "-MNet::Stomp", "-e", "1"], capture_output=True).returncode == 0
    require(known, "Net::Stomp is not installed (Debian's libnet-stomp-perl)")
    return found


def ruby() -> str:
    found = program("ruby", "ruby-stomp")
    known = subprocess.run([found, "-e", 'require "stomp"'], capture_output=True).returncode == 0
    require(known, "the gem stomp is not installed (Debian's ruby-stomp)")
    return found


def done(jobs: Jobs) -> bool:
    found = jobs.counts().get("work")
    return found is None or found.waiting + found.delayed + found.running == 0


def test_what_perl_inserts_a_consumer_of_the_hub_works(tmp_path: Path, dsn: str, jobs: Jobs) -> None:
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "work.py").write_text(CONSUMER)
    with JobHub(tmp_path / "hub", dsn, before='[consumers.work]\ntype = "work.py:Work"\n') as hub:
        run(tmp_path, "add.pl", PERL_ADD, perl(), str(hub.port))
        file = tmp_path / "hub" / "done"  # Net::Stomp waits for no receipt of COMMIT: the last job comes when it comes
        wait_until(lambda: file.exists() and len(file.read_text().splitlines()) >= 51, 60, "all jobs")
        wait_until(lambda: done(jobs), 60, "their ends")
        lines = file.read_text().splitlines()
        assert sorted(lines) == sorted([*(f"job {n} {4 + n % 2} {n}" for n in range(1, 51)), "last 4 None"])


@pytest.mark.parametrize("language", ["perl", "ruby"])
def test_perl_and_ruby_work_what_python_inserts(tmp_path: Path, dsn: str, jobs: Jobs, language: str) -> None:
    source, interpreter = (PERL_WORK, perl()) if language == "perl" else (RUBY_WORK, ruby())
    jobs.insert_many("work", [f"{n}".encode() for n in range(10)], keys=[f"k{n}" for n in range(10)])
    with JobHub(tmp_path / "hub", dsn) as hub:
        printed = run(tmp_path, "work", source, interpreter, str(hub.port))
        assert printed == [f"{n} 1 k{n}" for n in range(10)]
        if language == "ruby":
            wait_until(lambda: jobs.peek("work"), 20, "the job of Ruby")
            (job,) = jobs.peek("work")
            assert (job.body, job.tags) == (b"from ruby", ("a", "b"))
        else:
            wait_until(lambda: done(jobs), 20, "the last ACK")


def test_stomp_py(tmp_path: Path, dsn: str, jobs: Jobs) -> None:
    with JobHub(tmp_path / "hub", dsn) as hub:
        assert run(tmp_path, "client.py", STOMP_PY, sys.executable, str(hub.port)) == ["a 1"]
        wait_until(lambda: jobs.counts()["work"].dead == 1, 20, "the dead letter")


def test_what_the_page_says_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    perl()
    shutil.copy(ROOT / "docs" / "samples" / "thumbnails.py", tmp_path)
    monkeypatch.setenv("HUBBUB_JOBS", f"sqlite:///{tmp_path}/jobs.db")
    with Walk(tmp_path) as walk:
        walk.through(PAGE)
        assert walk.done > 15


def test_one_line_moves_the_programs_to_rabbitmq(rabbitmq: RabbitMQ, tmp_path: Path) -> None:
    shutil.copy(ROOT / "docs" / "samples" / "thumbnails.py", tmp_path)
    shutil.copy(ROOT / "docs" / "images" / "backlog.png", tmp_path / "a.png")
    (line,) = re.findall(r"^    (my \$client = .*mq\.example\.org.*)$", PAGE.read_text(encoding="utf-8"), re.M)
    line = line.replace("mq.example.org", "127.0.0.1").replace("61613", str(rabbitmq.port))
    for step in steps(PAGE):
        if isinstance(step, Write):
            text, moved = re.subn(r"^my \$client = .*$", lambda _: line, step.text, flags=re.M)
            assert moved == step.name.endswith(".pl")
            (tmp_path / step.name).write_text(text)
    for command in (["add.pl", "a.png"], ["work.pl"]):
        given = {"capture_output": True, "text": True, "cwd": tmp_path, "timeout": 120}
        python = f"{Path(sys.executable).parent}"
        ended = subprocess.run(["env", f"PATH={python}:/usr/bin:/bin", perl(), *command], check=False, **given)  # type: ignore[call-overload]
        assert ended.returncode == 0, ended.stdout + ended.stderr
    assert (tmp_path / "a.thumb.jpg").exists()
    with StompSocket(rabbitmq.port, "1.2", host="/", login="guest", passcode="guest") as client:
        client.receipt("SUBSCRIBE", id="0", destination="/queue/thumbnails", ack="client")
        assert client.rest() == []
