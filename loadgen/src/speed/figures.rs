//! Figures as JSON has them, and for people.

#![expect(clippy::print_stdout, reason = "figures are the program's answer")]

use loadgen::lean::{
    cost::Cost,
    fan_out::FanOut,
    handshakes::Handshakes,
    idle::Idle,
    rooms::{Found, Step},
};
use serde_json::{Value, json};

/// What everything has.
fn with_cost(mut shown: Value, cost: &Cost) -> Value {
    shown["seconds"] = json!(cost.seconds);
    shown["own_cpu"] = json!(cost.own_cpu);
    shown["load_generator_full"] = json!(cost.load_generator_full());
    shown
}

/// Deliveries in one room.
pub(crate) fn fan_out(found: &FanOut) -> Value {
    let FanOut { messages, deliveries, p50_us, p99_us, cost, resident_bytes } = found;
    let shown = json!({
        "messages": messages,
        "deliveries": deliveries,
        "deliveries_per_second": *deliveries as f64 / cost.seconds,
        "server_cpu_us_per_delivery": cost.server_us_each(*deliveries),
        "load_generator_ceiling_per_second": cost.ceiling_per_second(*deliveries),
        "p50_us": p50_us,
        "p99_us": p99_us,
        "server_resident_bytes": resident_bytes,
    });
    with_cost(shown, cost)
}

/// Round trips.
pub(crate) fn echo(found: &FanOut) -> Value {
    let FanOut { messages: _, deliveries, p50_us, p99_us, cost, resident_bytes: _ } = found;
    let shown = json!({
        "round_trips": deliveries,
        "round_trips_per_second": *deliveries as f64 / cost.seconds,
        "server_cpu_us_per_round_trip": cost.server_us_each(*deliveries),
        "p50_us": p50_us,
        "p99_us": p99_us,
    });
    with_cost(shown, cost)
}

/// One rate.
pub(crate) fn step(step: &Step) -> Value {
    let Step { rate, messages, deliveries, p50_us, p99_us, cost, kept } = step;
    let shown = json!({
        "rate": rate,
        "messages": messages,
        "deliveries_per_second": *deliveries as f64 / cost.seconds,
        "p50_us": p50_us,
        "p99_us": p99_us,
        "server_cpu_us_per_delivery": cost.server_us_each(*deliveries),
        "server_cpu_us_per_message": cost.server_us_each(*messages),
        "load_generator_ceiling_per_second": cost.ceiling_per_second(*deliveries),
        "kept": kept,
    });
    with_cost(shown, cost)
}

/// The highest rate.
pub(crate) fn search(found: &Found) -> Value {
    let Found { best, half, steps } = found;
    let shown = json!({
        "best": best.as_ref().map(step),
        "half": half.as_ref().map(step),
        "steps": steps.iter().map(step).collect::<Vec<_>>(),
    });
    match best {
        Some(best) => with_cost(shown, &best.cost),
        None => shown,
    }
}

/// Connections that say nothing.
pub(crate) fn idle(found: &Idle) -> Value {
    let shown = json!({
        "connections": found.connections,
        "before_bytes": found.before_bytes,
        "after_bytes": found.after_bytes,
        "bytes_per_connection": found.bytes_per_connection(),
        "server_cpu_us_per_connection_second": found.server_us_per_connection_second(),
    });
    with_cost(shown, &found.cost)
}

/// Connections that are opened and closed.
pub(crate) fn handshakes(found: &Handshakes) -> Value {
    let Handshakes { handshakes, cost, server_us_per_ticket } = found;
    let shown = json!({
        "handshakes": handshakes,
        "handshakes_per_second": *handshakes as f64 / cost.seconds,
        "server_cpu_us_per_handshake": cost.server_us_each(*handshakes),
        "server_cpu_us_per_ticket": server_us_per_ticket,
    });
    with_cost(shown, cost)
}

/// A whole line: what it is about, and what was found or why there is no figure.
pub(crate) fn line(mut shown: Value, found: &anyhow::Result<Value>) -> Value {
    match found {
        Ok(fields) => merges(&mut shown, fields),
        Err(error) => shown["failed"] = json!(format!("{error:#}")),
    }
    shown
}

/// Puts more fields behind those that are there.
pub(crate) fn merges(shown: &mut Value, more: &Value) {
    if let (Value::Object(shown), Value::Object(more)) = (shown, more) {
        shown.extend(more.clone());
    }
}

/// A line for each figure; what was found step by step is a line for each step.
pub(crate) fn people_read(shown: &Value) {
    let Value::Object(fields) = shown else { return };
    for (name, value) in fields {
        let name = name.replace('_', " ");
        match value {
            Value::Array(steps) => {
                println!("{name}");
                for step in steps {
                    println!("  {}", in_one_line(step));
                }
            }
            Value::Object(_) => println!("{name:<28} {}", in_one_line(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                println!("{name:<28} {}", figure(value));
            }
        }
    }
}

fn in_one_line(step: &Value) -> String {
    let Value::Object(fields) = step else { return figure(step) };
    let shown =
        |(name, value): (&String, &Value)| format!("{} {}", name.replace('_', " "), figure(value));
    fields.iter().map(shown).collect::<Vec<_>>().join(", ")
}

fn figure(value: &Value) -> String {
    match (value.as_f64(), value.as_str()) {
        (Some(number), _) if value.is_f64() && number >= 1_000.0 => format!("{number:.0}"),
        (Some(number), _) if value.is_f64() => format!("{number:.3}"),
        (_, Some(text)) => text.to_owned(),
        _ => value.to_string(),
    }
}
