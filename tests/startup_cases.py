"""What a module may do while a Worker is starting, and what not: a statement or two each."""

REFUSED = {
    "import os; os.urandom(8)": "OSError",
    "import posix; posix.urandom(8)": "OSError",
    "import random; random.random()": "RuntimeError",
    "import random; random.seed(5)": "RuntimeError",
    "import random; random.getstate()": "RuntimeError",
    "from random import choice; choice('ab')": "RuntimeError",
    "import random; random.Random()": "OSError",
    "import random; random.Random(None).random()": "OSError",
    "import random; random.Random(5).seed()": "OSError",
    "import random; type('R', (random.Random,), {})()": "OSError",
    "import random, copy; copy.copy(random.Random(3))": "OSError",
    "import random; random.SystemRandom().random()": "OSError",
    "import secrets; secrets.token_hex()": "OSError",
    "import secrets; secrets.choice('ab')": "OSError",
    "import uuid; uuid.uuid4()": "OSError",
    "import uuid; uuid.uuid1()": "RuntimeError",
    "import statistics; statistics.NormalDist().samples(2)": "RuntimeError",
    "from email.utils import make_msgid; make_msgid()": "RuntimeError",
}
"""What draws, with the type of the error it ends with."""

ADVANCES = "import random; random._inst.random()"
"""What draws and is caught when all is imported: the Worker does not start."""

ALLOWED = (
    "import random; random.Random(5).random()",
    "import random; random.Random(5).shuffle([1, 2])",
    "import random; random.SystemRandom()",
    "import random; random._inst.getstate()",
    "import secrets; secrets.compare_digest('a', 'b')",
    "import uuid; uuid.uuid5(uuid.NAMESPACE_DNS, 'a')",
    "import tempfile; tempfile.TemporaryDirectory().cleanup()",
    "import tempfile; tempfile.NamedTemporaryFile().close()",
    "import multiprocessing.process",
    "import statistics; statistics.NormalDist().samples(2, seed=5)",
    "import hashlib; hashlib.sha256(b'a')",
    "import http.cookiejar, email.generator, difflib, asyncio; asyncio.Lock()",
    "import time; time.sleep(0); time.gmtime(0); time.strftime('%Y', (1970,) + (1,) * 8)",
    "from datetime import UTC, datetime; datetime.fromtimestamp(0, UTC); datetime(2026, 1, 1)",
    "from datetime import datetime; later = datetime.now",
)
"""What draws nothing that could be guessed, and reads no clock."""

CLOCKS = (
    "import time; time.time()",
    "import time; time.time_ns()",
    "from time import monotonic; monotonic()",
    "import time; time.localtime()",
    "import time; time.gmtime(None)",
    "import time; time.strftime('%Y')",
    "import time; time.ctime()",
    "import datetime; datetime.datetime.now()",
    "import datetime; datetime.datetime.now(datetime.UTC)",
    "import datetime; datetime.datetime.now(tz=datetime.UTC)",
    "from datetime import date; date.today()",
    "from datetime import datetime; datetime.today()",
    "from datetime import datetime; type('D', (datetime,), {}).now()",
)
"""What reads a clock: it stands in the Worker, and `kagari build` says so."""
