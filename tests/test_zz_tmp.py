import sys
from tests.conftest import *
from tests.support.faults import REGION
from shnotify.sandbox.subscriptions import confirm_subscription
def test_x(world, capsys):
    assert world.apply().code == 0
    confirm_subscription("secops@example.com")
    r = world.text("doctor", "--html", "/tmp/x.html")
    with capsys.disabled():
        print(r.code); print(r.out); print(r.err)
        print(len(world.faults.calls))
