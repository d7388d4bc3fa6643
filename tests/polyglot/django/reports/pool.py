"""The site's connection to the pool."""

from functools import cache

import grpc
from client import PoolClient
from django.conf import settings
from django.http import HttpResponse

STATUS = {grpc.StatusCode.INVALID_ARGUMENT: 400, grpc.StatusCode.NOT_FOUND: 404, grpc.StatusCode.ALREADY_EXISTS: 409}


@cache
def pool():
    """One for the whole process, made when it is first needed: a server that forks would break an older one."""
    return PoolClient(settings.GRPCPOOL_ADDRESS)


class Errors:
    """Answers what the pool refuses; a pool that is full or out of reach is 503, which says that it may be tried again."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, error):
        if isinstance(error, grpc.RpcError):
            return HttpResponse(error.details(), status=STATUS.get(error.code(), 503), content_type="text/plain")
