"""Drives Celery for `tickwheel-bench compare`. The bench writes this file into the virtual environment it makes.

  celery_driver.py worker HOST PORT PREFETCH RECORDS
    prints `1 <started> <done>` while that changes; SIGTERM: writes its records (four 64-bit numbers, little end first: number of the
    job, start in microseconds, due in milliseconds, 0) and ends
  celery_driver.py submit HOST PORT FROM TO BATCH BODY WHEN
    prints `ready`, waits for a line, sends jobs FROM..TO, prints `done`; WHEN: now | in:MS | at:MS | spread:FIRST:SPAN

Settings: no results, acknowledged early, no events, no rate limits, a large prefetch, the `solo` pool in as many processes as help (no
pipe to a child process for each task). Celery has no bulk call: a producer sends over one connection that it keeps.
"""

import os
import signal
import struct
import sys
import threading
import time
from datetime import datetime, timezone

from celery import Celery

ROLE, HOST, PORT, *REST = sys.argv[1:]
APP = Celery("bench", broker=f"redis://{HOST}:{PORT}/0")
APP.conf.update(
    task_ignore_result=True,
    task_store_errors_even_if_ignored=False,
    task_acks_late=False,
    task_track_started=False,
    task_send_sent_event=False,
    worker_send_task_events=False,
    worker_disable_rate_limits=True,
    worker_enable_remote_control=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    task_default_queue="bench",
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 36000},
)
STARTS = []
MASK = (1 << 64) - 1


@APP.task(name="noop", ignore_result=True)
def noop(number, due, _filler):
    STARTS.append((number, time.time_ns() // 1000, due, 0))


def scattered(number):
    """One round of splitmix64, as in the bench: due times that look random and are the same for everybody."""
    mixed = number * 0x9E3779B97F4A7C15 & MASK
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & MASK
    return mixed ^ mixed >> 31


def due_of(when, number):
    kind, *numbers = when.split(":")
    numbers = [int(text) for text in numbers]
    if kind == "now":
        return 0
    if kind == "in":
        return time.time_ns() // 1_000_000 + numbers[0]
    if kind == "at":
        return numbers[0]
    return numbers[0] + scattered(number) % numbers[1]


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def work(prefetch, path):
    APP.conf.worker_prefetch_multiplier = int(prefetch)
    worker = APP.Worker(pool="solo", concurrency=1, loglevel="ERROR", without_gossip=True, without_mingle=True, without_heartbeat=True)

    def tell():
        said = -1
        while True:
            if len(STARTS) != said:
                said = len(STARTS)
                say(f"1 {said} {said}")
            time.sleep(0.01)

    def end(*_):
        with open(path, "wb") as file:
            file.write(b"".join(struct.pack("<4Q", *start) for start in STARTS))
        os._exit(0)

    from celery.signals import worker_ready

    @worker_ready.connect(weak=False)
    def ready(**_):
        signal.signal(signal.SIGTERM, end)
        threading.Thread(target=tell, daemon=True).start()

    worker.start()


def submit(first, last, _batch, size, when):
    filler = "x" * max(0, int(size) - 20)
    with APP.connection_for_write() as connection, APP.amqp.Producer(connection) as producer:
        connection.connect()
        say("ready")
        sys.stdin.readline()
        for number in range(int(first), int(last)):
            due = due_of(when, number)
            eta = datetime.fromtimestamp(due / 1000, timezone.utc) if due else None
            noop.apply_async((number, due, filler), eta=eta, producer=producer)
    say("done")


if ROLE == "worker":
    work(*REST)
else:
    submit(*REST)
