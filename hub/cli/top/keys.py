"""The help of ``hubbub top``."""

from __future__ import annotations

HELP = """\
Everywhere
  p      pause the consumer, with or without an end; or resume it
  d      drain it: it works off its queue and gets no new messages; or resume it
  P      purge its queue: drop all waiting messages
  + -    add a thread, end a thread
  R      reload the configuration of the hub
  ?      show this help
  q      quit

The consumers
  s      sort by the next column; or click a heading
  S      reverse the order
  Enter  show a consumer: its threads and dead letters

A consumer
  Tab    switch between threads and dead letters
  k      show the stack of the thread
  Enter  show the dead letters of the error; there, show one whole
  r      retry the dead letters of the error
  c      retry one of them first (a canary), and the others if it is finished
  x      delete them
  Esc    back

The columns (a narrow screen shows the most important ones and the sort column)
  last minutes  the backlog; the tallest bar is the highest
  dead          dead letters now, without those retried or deleted
  oldest        age of the oldest message
  caught up     when the backlog will be empty at the present rates; paused: not before it is resumed
  busy          share of the time that its threads spend working
  p99           99 of 100 messages are handled within this time
  readers       clients that read a declared queue
"""
