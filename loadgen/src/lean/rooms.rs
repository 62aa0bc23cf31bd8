//! Many rooms in which everybody speaks in turn: how much of that goes through before it takes too
//! long.

use std::time::Duration;

use super::{
    Shape, Target,
    bystanders::Bystanders,
    cost::{Cost, Meter},
    crowd::Crowd,
    measured,
};

/// What is let go by at the beginning of a step, at most.
const WARM_UP_MAX: Duration = Duration::from_millis(500);
/// Messages that are said before somebody listens again.
const BURST_MAX: usize = 512;
/// A server that is behind by what this long brings has too much to do.
const BEHIND_MAX: Duration = Duration::from_secs(1);
/// Deliveries that may be on their way at any rate.
const BEHIND_ALLOWED: u64 = 10_000;
/// A rate is kept when so much of it came within the time.
const KEPT: f64 = 0.97;
/// The search ends when the rates between which the most lies are so close.
const CLOSE: f64 = 1.08;

/// The rooms.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// How many.
    pub rooms: usize,
    /// Members of each.
    pub members: usize,
    /// Rooms beside them, with as many followers each, in which nothing is said.
    pub silent: usize,
    /// What a delivery carries, in bytes.
    pub bytes: usize,
    /// How long a rate is measured.
    pub lasting: Duration,
}

/// How the highest rate is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    /// What 99 of 100 deliveries may take, in microseconds.
    pub p99_max_us: f64,
    /// The first rate, in messages a second.
    pub start_rate: f64,
}

/// What one rate came to.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Messages a second, of all rooms together.
    pub rate: f64,
    /// Messages that were said within the time.
    pub messages: u64,
    /// Deliveries within the time.
    pub deliveries: u64,
    /// Half of the deliveries took no longer, in microseconds, from the moment at which the message
    /// was to be said.
    pub p50_us: Option<f64>,
    /// 99 of 100 took no longer.
    pub p99_us: Option<f64>,
    /// What it cost.
    pub cost: Cost,
    /// Whether the rate was kept.
    pub kept: bool,
}

/// What the search found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The most that went through in time.
    pub best: Option<Step>,
    /// Half of that rate.
    pub half: Option<Step>,
    /// All that was tried, in that order.
    pub steps: Vec<Step>,
}

/// Measures one rate.
///
/// # Errors
/// Something was lost, doubled or reordered, or the server refused or closed something.
pub async fn at_rate(target: &Target, load: Load, rate: f64) -> anyhow::Result<Step> {
    let processes = target.processes.clone();
    let bystanders = Bystanders::come(target, load.silent, load.members).await?;
    let step = measured(target, load.shape(), move |crowd| {
        Turns { load, said: 0 }.step(crowd, &processes, rate)
    });
    let step = step.await?;
    bystanders.leave()?;
    Ok(step)
}

/// Looks for the highest rate that is kept in time: doubles it, then halves the distance.
///
/// # Errors
/// As of [`at_rate`].
pub async fn search(target: &Target, load: Load, search: Search) -> anyhow::Result<Found> {
    let processes = target.processes.clone();
    let bystanders = Bystanders::come(target, load.silent, load.members).await?;
    let found = measured(target, load.shape(), move |crowd| {
        let mut turns = Turns { load, said: 0 };
        let mut found = Found { best: None, half: None, steps: Vec::new() };
        let (mut kept, mut not_kept, mut failed) = (None, None, None);
        while let Some(rate) = next_rate(search.start_rate, kept, not_kept) {
            let step = turns.step(crowd, &processes, rate)?;
            found.steps.push(step);
            if step.is_in_time(search.p99_max_us) {
                kept = Some(rate);
                found.best = Some(step);
            } else if failed == Some(rate) {
                not_kept = Some(rate);
            } else {
                // The machine may have been busy with something else: it is tried once more.
                failed = Some(rate);
            }
        }
        if let Some(best) = found.best {
            found.half = Some(turns.step(crowd, &processes, best.rate / 2.0)?);
        }
        Ok(found)
    });
    let found = found.await?;
    bystanders.leave()?;
    Ok(found)
}

/// The rate to try next; none when it is known well enough what is kept.
fn next_rate(start: f64, kept: Option<f64>, not_kept: Option<f64>) -> Option<f64> {
    match (kept, not_kept) {
        (None, None) => Some(start),
        (Some(kept), None) => Some(kept * 2.0),
        (None, Some(not_kept)) => (not_kept > 2.0).then_some(not_kept / 2.0),
        (Some(kept), Some(not_kept)) => {
            (not_kept / kept > CLOSE).then(|| f64::midpoint(kept, not_kept))
        }
    }
}

impl Load {
    fn shape(&self) -> Shape {
        let Self { rooms, members, bytes, .. } = *self;
        Shape { rooms, members, authors: members, bytes }
    }
}

impl Step {
    fn is_in_time(&self, p99_max_us: f64) -> bool {
        self.kept && self.p99_us.is_some_and(|p99| p99 <= p99_max_us)
    }
}

/// Whose turn it is.
struct Turns {
    load: Load,
    said: usize,
}

impl Turns {
    fn step(&mut self, crowd: &mut Crowd, processes: &[u32], rate: f64) -> anyhow::Result<Step> {
        let Load { members, lasting, .. } = self.load;
        let warm = self.speak(crowd, rate, WARM_UP_MAX.min(lasting / 4))?;
        crowd.forgets_latency();
        let (before, said_before) = (crowd.deliveries(), self.said);
        let meter = Meter::begins(processes)?;
        let kept_up = warm && self.speak(crowd, rate, lasting)?;
        let cost = meter.ends()?;
        let deliveries = crowd.deliveries() - before;
        let due = rate * members as f64 * cost.seconds;
        let step = Step {
            rate,
            messages: (self.said - said_before) as u64,
            deliveries,
            p50_us: crowd.latency().quantile_us(0.5),
            p99_us: crowd.latency().quantile_us(0.99),
            cost,
            kept: kept_up && deliveries as f64 >= KEPT * due,
        };
        crowd.drains()?;
        Ok(step)
    }

    /// Lets everybody speak for so long; whether the server kept up.
    fn speak(&mut self, crowd: &mut Crowd, rate: f64, lasting: Duration) -> anyhow::Result<bool> {
        let begin = crowd.now();
        let end = begin + lasting.as_nanos() as u64;
        let behind_max = rate * self.load.members as f64 * BEHIND_MAX.as_secs_f64();
        let behind_max = behind_max as u64 + BEHIND_ALLOWED;
        let mut said = 0_u64;
        loop {
            let now = crowd.now();
            if now >= end {
                return Ok(true);
            }
            if crowd.missing() > behind_max {
                return Ok(false);
            }
            let due = |nth: u64| begin + (nth as f64 * 1e9 / rate) as u64;
            let mut burst = 0;
            while due(said) <= now && burst < BURST_MAX {
                let member = self.next(crowd);
                // It counts from when it was to be said: being late is no excuse.
                crowd.says(member, due(said));
                crowd.flushes(member)?;
                said += 1;
                burst += 1;
            }
            let wait = due(said).min(end).saturating_sub(crowd.now());
            if wait == 0 {
                crowd.turns(Some(Duration::ZERO))?;
            } else {
                crowd.wakes_after(Duration::from_nanos(wait))?;
                crowd.turns(None)?;
            }
        }
    }

    /// One room after the other, and in each one member after the other.
    fn next(&mut self, crowd: &Crowd) -> usize {
        let Load { rooms, members, .. } = self.load;
        let nth = self.said;
        self.said += 1;
        crowd.member(nth % rooms, nth / rooms % members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_doubles_and_then_comes_close_to_what_is_kept() {
        for most in [3.0, 700.0, 54_321.0] {
            let (mut kept, mut not_kept, mut steps) = (None, None, 0);
            while let Some(rate) = next_rate(1_000.0, kept, not_kept) {
                if rate <= most {
                    kept = Some(rate);
                } else {
                    not_kept = Some(rate);
                }
                steps += 1;
            }
            let kept = kept.expect("something is kept");
            assert!(kept <= most && kept >= most / CLOSE, "{kept} of {most}");
            assert!(steps < 20, "{steps}");
        }
        assert_eq!(next_rate(1.0, None, Some(1.0)), None);
    }
}
