"""The help of ``hubbub top``."""

from __future__ import annotations

HELP = """\
Everywhere
  p      pause the consumer, also until a time; or let it go on
  d      drain it: it gets nothing more, and works off what it has; or let it go on
  P      purge it: drop all that waits
  + -    a thread more, a thread less
  R      have the hub read its configuration again
  ?      this
  q      quit

The consumers
  s      sort by the next column; or click a heading
  S      the other way round
  Enter  look at one: its threads, its dead letters

A consumer
  Tab    from the threads to the dead letters and back
  k      the stack of the thread
  Enter  the dead letters of that error; there, one of them whole
  r      retry the dead letters of that error
  c      retry one of them first (a canary), and the others if it gets through
  x      delete them
  Esc    back

The columns (a narrow screen has the most important, and the one that it is sorted by)
  last minutes  the backlog; the tallest bar is the highest
  dead          how many dead letters there are now: not those that were retried or deleted since
  oldest        how long the oldest message has waited
  caught up     when nothing would be left if all goes on as it does; while it is paused: not before it goes on
  used          the share of the time in which its threads are at work
  p99           99 of 100 messages take the consumer no longer
"""
