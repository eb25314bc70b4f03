"""What a failed call says, decoded."""

import contextlib

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

DOMAIN = "billingos.dev"


class Failure:
    def __init__(self, error: grpc.RpcError):
        self.code = error.code()
        self.message = error.details()
        self.reason, self.metadata, self.violations, self.retry_seconds = "", {}, {}, None
        status = rpc_status.from_call(error)
        for detail in status.details if status is not None else []:
            self._read(detail)

    def _read(self, detail):
        info, bad, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            assert info.domain == DOMAIN
            self.reason, self.metadata = info.reason, dict(info.metadata)
        elif detail.Unpack(bad):
            self.violations = {v.field: v.description for v in bad.field_violations}
        elif detail.Unpack(retry):
            self.retry_seconds = retry.retry_delay.ToTimedelta().total_seconds()

    def __repr__(self):
        return f"{self.code.name}/{self.reason}: {self.message} {self.metadata} {self.violations}"


@contextlib.contextmanager
def fails(reason: str, code: grpc.StatusCode = None, field: str = None):
    """The block must fail with this reason (and code, and a violation of this field)."""
    holder = []
    try:
        yield holder
    except grpc.RpcError as error:
        failure = Failure(error)
        holder.append(failure)
        assert failure.reason == reason, failure
        assert code is None or failure.code == code, failure
        assert field is None or field in failure.violations, failure
        return
    raise AssertionError(f"did not fail; {reason} was expected")
