#!/usr/bin/env bash
# pika 1.4.4: a header that is a floating number is read as a whole one, without a word, and can't be written.
#
# Guessed: AMQP 0-9-1's field types "f" and "d" (float and double) become a Python float, and a float in the headers of a
# published message is written as a double, as RabbitMQ's Java and Erlang clients have it.
# Found: both types are read as a whole number, its fraction cut off: 1.5 is 1, 0.25 is 0, -0.75 is 0. A float that is to be
# written raises UnsupportedAMQPFieldException. So a header such as a priority, a price or a rate that a program in another
# language publishes arrives changed in every consumer that uses pika, and nobody is told.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
python3 -m venv "$directory/venv"
"$directory/venv/bin/pip" install --quiet --disable-pip-version-check pika==1.4.4 2>/dev/null
"$directory/venv/bin/python" - <<'PYTHON'
import struct
import sys
from importlib.metadata import version

from pika import data
from pika.exceptions import UnsupportedAMQPFieldException

print("pika", version("pika"))
problems = []
for kind, name in (("f", "float"), ("d", "double")):
    for number in (1.5, 0.25, -0.75):
        fields = b"\x01x" + kind.encode() + struct.pack(f">{kind}", number)
        table, _ = data.decode_table(struct.pack(">I", len(fields)) + fields, 0)
        print(f"a {name} of {number} is read as {table['x']!r}, equal to {int(number)}: {table['x'] == int(number)}")
        if table["x"] != int(number):
            problems.append(f"{name} {number}")
try:
    data.encode_table([], {"x": 1.5})
    problems.append("a float was written")
except UnsupportedAMQPFieldException as error:
    print("a float is not written:", type(error).__name__)
if problems:
    sys.exit(f"not as it was found: {', '.join(problems)}")
PYTHON
