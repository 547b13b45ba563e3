"""The bundled recording of a real system, and the source that replays it with its clock moved to now.

``quiet.jsonl.xz`` is given at once, as if it had just happened; ``faulty.jsonl.xz`` follows at its own pace. Then nothing
more comes, and the summary stays as it is, to be looked into. ``SOURCE.md`` says where the recording comes from.
"""

from tracegist.sample.settings import sample_config
from tracegist.sample.source import SampleSource

__all__ = ["SampleSource", "sample_config"]
