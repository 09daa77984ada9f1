"""One thread, many things to wait for."""

import os

from buddy_watch.reactor import Reactor


def test_timers_come_in_their_order_and_cancelled_ones_never():
    reactor, came = Reactor(), []
    reactor.later(0.002, lambda: came.append("second"))
    reactor.later(0.0, lambda: came.append("first"))
    reactor.later(0.001, lambda: came.append("never")).cancel()
    reactor.later(0.004, reactor.stop)
    reactor.run()
    assert came == ["first", "second"]
    reactor.close()


def test_a_descriptor_calls_back_until_it_is_forgotten():
    reactor, came = Reactor(), []
    reading, writing = os.pipe()

    def read():
        came.append(os.read(reading, 10))
        if came[-1] == b"":
            reactor.unwatch(reading)
            reactor.stop()

    reactor.watch(reading, read)
    os.write(writing, b"x")
    reactor.later(0.001, lambda: os.close(writing))
    reactor.run()
    assert came == [b"x", b""]
    os.close(reading)
    reactor.close()


def test_a_callback_may_end_another_of_the_same_round():
    reactor = Reactor()
    pipes = [os.pipe() for _ in range(2)]
    heard = []

    def only_one(mine, other):
        def read():
            heard.append(mine)
            reactor.unwatch(pipes[other][0])
            os.read(pipes[mine][0], 1)

        return read

    for mine, other in ((0, 1), (1, 0)):
        reactor.watch(pipes[mine][0], only_one(mine, other))
        os.write(pipes[mine][1], b"x")
    reactor.step(1.0)
    assert len(heard) == 1
    reactor.close()
    for pair in pipes:
        for descriptor in pair:
            os.close(descriptor)


def test_an_error_in_a_callback_comes_out_of_run():
    reactor = Reactor()
    reactor.later(0.0, lambda: 1 // 0)
    try:
        reactor.run()
    except ZeroDivisionError:
        reactor.close()
    else:
        raise AssertionError("it was swallowed")
