//! Figures as the program prints them.

#![expect(clippy::print_stdout, reason = "figures are the program's answer")]

use loadgen::{
    durable::{Durable, Figures},
    half_open::HalfOpen,
    resume::Resume,
    slope::Slope,
    soak::Soak,
    stalled::Stalled,
    storm::Storm,
};

const MIB: f64 = 1024.0 * 1024.0;
/// Samples that are printed of the many that were taken.
const SAMPLES_SHOWN: usize = 16;

/// How fast somebody got what they missed.
pub(crate) fn resume(found: &Resume) {
    let entries = found.entries as f64;
    println!("entries                    {}", found.entries);
    println!("a second                   {:.0}", entries / found.seconds);
    println!("a second of a server core  {:.0}", entries / found.server_cpu_seconds);
    println!("resident before            {:.0} MiB", found.before_bytes as f64 / MIB);
    println!("resident at most           {:.0} MiB", found.most_bytes as f64 / MIB);
}

/// What the disk lets through.
pub(crate) fn durable(found: &Durable) {
    println!("in flight {}", found.in_flight);
    println!("  of the plain file      {:.2}", found.ratio());
    println!("  p99 in plain syncs     {:.1}", found.p99_in_syncs());
    let Figures { per_second, p50, p99 } = found.acks;
    println!("  acks a second          {per_second:.0}, p50 {p50:.1?}, p99 {p99:.1?}");
    let Figures { per_second, p50, p99 } = found.plain;
    println!("  plain file             {per_second:.0}, p50 {p50:.1?}, p99 {p99:.1?}");
}

/// How everybody came back.
pub(crate) fn storm(found: &Storm) {
    let Storm { half, most, last, .. } = found;
    println!("clients                {}", found.clients);
    println!("back, p50 p99 last     {half:.2?} {most:.2?} {last:.2?}");
    if let Some(listened) = found.listened {
        println!("listened again after   {listened:.2?}");
    }
    println!("attempts               {}, at most {}", found.attempts, found.attempts_max);
    println!("failed                 {:?}", found.failed);
    println!("duplicates dropped     {}", found.duplicates);
    println!("server cpu             {:.2} s", found.server_cpu_seconds);
    println!("cpu of the load        {:.2} s", found.own_cpu_seconds);
}

/// What became of those who vanished.
pub(crate) fn half_open(found: &HalfOpen) {
    let gone = &found.gone;
    if let (Some(first), Some(last)) = (gone.first(), gone.last()) {
        let half = gone[gone.len() / 2];
        println!("gone, first p50 last   {first:.2?} {half:.2?} {last:.2?}");
    }
    println!("vanished               {}", gone.len());
    println!("told after             {:.2?}", found.told);
    println!("false closes           {}", found.false_closes);
    println!("pings answered         {}", found.answered);
}

/// What those cost who read nothing.
pub(crate) fn stalled(found: &Stalled) {
    for (without, with) in &found.rounds {
        println!("without                {without:.2?}");
        println!("with                   {with:.2?}");
    }
    println!("ratio of p99           {:.3}", found.p99_ratio());
    let more: Vec<u64> = found.more_bytes.iter().map(|bytes| bytes / 1024).collect();
    println!("more memory, KiB       {more:?}");
    let closed = &found.closed_after;
    if let (Some(first), Some(last)) = (closed.first(), closed.last()) {
        println!("closed, first and last {first:.2?} {last:.2?}, {} times", closed.len());
    }
    println!("entries they got       {}", found.recovered);
}

/// What the long run found.
pub(crate) fn soak(found: &Soak) {
    println!("{:?}", found.deeds);
    println!("server cpu             {:.1} s", found.server_cpu_seconds);
    let every = (found.samples.len() / SAMPLES_SHOWN).max(1);
    for (at, resident, anonymous) in found.samples.iter().step_by(every) {
        let (resident, anonymous) = (*resident as f64 / MIB, *anonymous as f64 / MIB);
        println!("  at {at:>6.0} s          {resident:.2} MiB, without files {anonymous:.2} MiB");
    }
    slope("resident", found.resident);
    slope("without files", found.anonymous);
}

fn slope(of: &str, slope: Option<Slope>) {
    match slope {
        Some(Slope { per_unit, margin }) => {
            println!("second half, {of}: {per_unit:+.3} MiB/h, 95 % within ±{margin:.3}");
        }
        None => println!("second half, {of}: too few samples"),
    }
}
