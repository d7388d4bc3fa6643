import signal
import threading

from django.conf import settings
from django.core.management.base import BaseCommand

from reports.tasks import HANDLERS
from worker import Worker


class Command(BaseCommand):
    help = "Executes what the site submits. On SIGTERM or Ctrl-C it takes no more, finishes what it has, and ends."

    def add_arguments(self, parser):
        parser.add_argument("--slots", type=int, default=4, help="how many tasks it executes at a time (4)")

    def handle(self, *, slots, **_):
        worker = Worker(HANDLERS, slots)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: threading.Thread(target=worker.drain).start())
        worker.run(settings.GRPCPOOL_ADDRESS)
