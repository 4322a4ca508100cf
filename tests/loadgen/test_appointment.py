"""When a shard begins, alone and with the controller."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.loadgen.controller_case import ControllerCase
from tests.loadgen.fake_reactor import task
from tlsdemo.loadgen.appointment import Appointment
from tlsdemo.loadgen.arrivals import Window
from tlsdemo.loadgen.controller import Controller
from tlsdemo.loadgen.plan import steps_of


class Appointments(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(100.0)

    def test_without_a_time_it_begins_at_once(self) -> None:
        appointment = Appointment(None, [1.0], self.clock.seconds)
        self.assertEqual(appointment.until_start(), 0.0)
        appointment.start()
        self.clock.advance(0.25)
        self.assertEqual(appointment.until_window(1), 0.75)

    def test_windows_are_counted_from_the_agreed_time_not_from_the_real_one(self) -> None:
        appointment = Appointment(110.0, [1.0, 5.0], self.clock.seconds)
        self.assertEqual(appointment.until_start(), 10.0)
        self.clock.advance(10.5)
        self.assertEqual(appointment.until_start(), 0.0)
        appointment.start()
        self.assertEqual(appointment.started, 110.5)
        self.assertEqual([appointment.until_window(each) for each in (1, 2)], [0.5, 4.5])
        self.clock.advance(100.0)
        self.assertEqual(appointment.until_window(1), 0.0)

    def test_windows_beyond_those_planned_begin_at_once(self) -> None:
        self.assertEqual(Appointment(110.0, [], self.clock.seconds).until_window(1), 0.0)


class ControllerWithAppointment(ControllerCase):
    def start(self, appointment: Appointment, *windows: Window) -> Controller:
        controller = Controller(
            self.reactor, "name", [task(connections=2)], 1, steps_of(windows), None,
            lambda *_: None, appointment=appointment,
        )  # fmt: skip
        self.running = Deferred.fromCoroutine(controller.run())
        self.report("ready")
        return controller

    def test_connections_and_windows_begin_at_their_times(self) -> None:
        appointment = Appointment(10.0, [3.0, 20.0], self.reactor.seconds)
        self.start(appointment, Window(number=1, seconds=2.0), Window(number=2, seconds=2.0))
        self.pass_time(9.0)
        self.assertEqual(self.commands(), [])
        self.pass_time(1.0)
        self.assertEqual(self.commands(), ["open"])
        self.report("settled", begun=2, secured=2)
        self.pass_time(2.5)
        self.assertEqual(self.commands(), ["open"])
        self.pass_time(0.5)
        self.assertEqual(self.commands(), ["open", "begin"])
        self.pass_time(2.0)
        self.report("settled", begun=2, secured=2)
        self.pass_time(14.5)
        self.assertEqual(self.commands(), ["open", "begin", "rest"])
        self.pass_time(0.5)
        self.assertEqual(self.commands(), ["open", "begin", "rest", "begin"])
        self.assertEqual((appointment.started, appointment.windows), (10.0, [13.0, 30.0]))

    def test_one_that_is_stopped_while_it_waits_opens_nothing(self) -> None:
        controller = self.start(Appointment(10.0, [0.0], self.reactor.seconds), Window())
        controller.stop()
        self.report("over", peers=[])
        self.assertEqual(self.commands(), ["finish"])
        self.assertEqual(self.result().problem, "stopped before its end")
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_the_time_may_be_agreed_on_when_it_is_ready(self) -> None:
        ready: list[Any] = []
        appointment = Appointment(None, [], self.reactor.seconds, lambda: ready.append(True))
        controller = self.start(appointment, Window())
        self.assertEqual(ready, [True])
        self.pass_time(50.0)
        self.assertEqual(self.commands(), [])
        controller.agree_to_start(51.0)
        self.assertEqual(self.commands(), [])
        self.pass_time(1.0)
        self.assertEqual(self.commands(), ["open"])
