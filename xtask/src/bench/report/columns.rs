//! The figures that servers are compared by.

use crate::bench::{measurement::Measurement, record::Figure};

pub(super) const FAN_OUT_100: Figure =
    Figure { measurement: Measurement::FanOut100, pointer: "/server_cpu_us_per_delivery" };
pub(super) const FAN_OUT_1000: Figure =
    Figure { measurement: Measurement::FanOut1000, pointer: "/server_cpu_us_per_delivery" };
pub(super) const FAN_OUT_10000: Figure =
    Figure { measurement: Measurement::FanOut10000, pointer: "/server_cpu_us_per_delivery" };
pub(super) const FAN_OUT_16: Figure =
    Figure { measurement: Measurement::FanOut16, pointer: "/server_cpu_us_per_delivery" };
const DELIVERIES: Figure =
    Figure { measurement: Measurement::FanOut1000, pointer: "/deliveries_per_second" };
pub(super) const ONE_BY_ONE: Figure =
    Figure { measurement: Measurement::OneByOne, pointer: "/server_cpu_us_per_delivery" };
pub(super) const ROOMS_BEST: Figure =
    Figure { measurement: Measurement::Rooms, pointer: "/best/deliveries_per_second" };
pub(super) const ROOMS_HALF: Figure =
    Figure { measurement: Measurement::Rooms, pointer: "/half/p99_us" };
const IDLE: Figure =
    Figure { measurement: Measurement::Idle1000, pointer: "/bytes_per_connection" };
pub(super) const HANDSHAKE: Figure =
    Figure { measurement: Measurement::Handshakes, pointer: "/server_cpu_us_per_handshake" };
pub(super) const ECHO: Figure = Figure { measurement: Measurement::Echo, pointer: "/p50_us" };
const ECHO_64: Figure =
    Figure { measurement: Measurement::Echo64, pointer: "/server_cpu_us_per_round_trip" };

/// Whether the server is better where its figure is smaller or where it is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Better {
    Less,
    More,
}

pub(super) struct Column {
    pub(super) title: &'static str,
    pub(super) unit: &'static str,
    pub(super) figure: Figure,
    pub(super) better: Better,
}

/// From left to right.
pub(super) const COLUMNS: &[Column] = &[
    cost("fan-out to 1,000, 64 in flight: CPU per delivery", "µs", FAN_OUT_1000),
    gain("the same: deliveries", "per second", DELIVERIES),
    cost("to 1,000, 16 in flight", "µs", FAN_OUT_16),
    cost("to 100, 64 in flight", "µs", FAN_OUT_100),
    cost("to 10,000, 64 in flight", "µs", FAN_OUT_10000),
    cost("one by one to 1,000: CPU per delivery", "µs", ONE_BY_ONE),
    gain("200 rooms × 10: most deliveries with p99 ≤ 50 ms", "per second", ROOMS_BEST),
    cost("p99 at half of that", "µs", ROOMS_HALF),
    cost("memory per idle connection", "bytes", IDLE),
    cost("CPU per handshake", "µs", HANDSHAKE),
    cost("echo: p50", "µs", ECHO),
    cost("echo × 64: CPU per round trip", "µs", ECHO_64),
];

const fn cost(title: &'static str, unit: &'static str, figure: Figure) -> Column {
    Column { title, unit, figure, better: Better::Less }
}

const fn gain(title: &'static str, unit: &'static str, figure: Figure) -> Column {
    Column { title, unit, figure, better: Better::More }
}
