//! Which of the browser's sessions a window speaks for.
//!
//! All windows of a browser share their cookies, and there is one for each of a few slots. A
//! person who came in has a seat: a slot and a name. Windows in which the same name was given
//! share the seat; another name takes another one.

use common::UserName;

/// Slots of one browser, as the server has them.
const SLOTS: u8 = 8;

/// A slot, and who has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Which of the browser's sessions.
    pub slot: u8,
    /// Who it is.
    pub name: UserName,
}

impl Seat {
    /// Reads what [`Self::to_line`] wrote.
    #[must_use]
    pub fn from_line(line: &str) -> Option<Self> {
        let (slot, name) = line.split_once(' ')?;
        let slot = slot.parse().ok().filter(|slot| *slot < SLOTS)?;
        Some(Self { slot, name: UserName::new(name).ok()? })
    }

    /// The seat on one line, as it is kept.
    #[must_use]
    pub fn to_line(&self) -> String {
        format!("{} {}", self.slot, self.name)
    }
}

/// The seats that are taken, the one used last at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seats(Vec<Seat>);

impl Seats {
    /// Reads what [`Self::to_text`] wrote, and passes over what is no seat.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let mut seats = Self::default();
        text.lines().filter_map(Seat::from_line).for_each(|seat| seats.sit(seat));
        seats
    }

    /// A line for each seat.
    #[must_use]
    pub fn to_text(&self) -> String {
        let lines: Vec<String> = self.0.iter().map(Seat::to_line).collect();
        lines.join("\n")
    }

    /// Whether the seat is still with whom it was.
    #[must_use]
    pub fn holds(&self, seat: &Seat) -> bool {
        self.0.contains(seat)
    }

    /// The seat of a name; if it has none a free one, or the one that was longest unused.
    #[must_use]
    pub fn choose(&self, name: &UserName) -> Seat {
        let slot_of = |name: &UserName| self.0.iter().find(|seat| seat.name == *name);
        let is_free = |slot: &u8| self.0.iter().all(|seat| seat.slot != *slot);
        let known = slot_of(name).map(|seat| seat.slot);
        let free = || (0..SLOTS).find(is_free);
        let longest_unused = || self.0.first().map_or(0, |seat| seat.slot);
        let slot = known.or_else(free).unwrap_or_else(longest_unused);
        Seat { slot, name: name.clone() }
    }

    /// Takes the seat, from whoever has it, and notes that it is in use.
    pub fn sit(&mut self, seat: Seat) {
        self.0.retain(|other| other.slot != seat.slot && other.name != seat.name);
        self.0.push(seat);
    }

    /// Gives the seat back, if it is still this one.
    pub fn free(&mut self, seat: &Seat) {
        self.0.retain(|other| other != seat);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> UserName {
        UserName::new(text).unwrap()
    }

    fn sits(seats: &mut Seats, text: &str) -> u8 {
        let seat = seats.choose(&name(text));
        let slot = seat.slot;
        seats.sit(seat);
        slot
    }

    #[test]
    fn a_name_keeps_its_seat_and_another_name_takes_another() {
        let mut seats = Seats::default();
        assert_eq!(sits(&mut seats, "하나"), 0);
        assert_eq!(sits(&mut seats, "두리"), 1);
        assert_eq!(sits(&mut seats, "하나"), 0);
        seats.free(&Seat { slot: 0, name: name("하나") });
        assert_eq!(sits(&mut seats, "세나"), 0, "a seat that was given back is free");
    }

    #[test]
    fn when_all_seats_are_taken_the_one_longest_unused_goes() {
        let mut seats = Seats::default();
        for n in 0..SLOTS {
            assert_eq!(sits(&mut seats, &format!("guest {n}")), n);
        }
        sits(&mut seats, "guest 0");
        let evicted = Seat { slot: 1, name: name("guest 1") };
        assert!(seats.holds(&evicted));
        assert_eq!(sits(&mut seats, "one more"), 1);
        assert!(!seats.holds(&evicted));
    }

    #[test]
    fn what_is_kept_is_read_back_and_nonsense_is_passed_over() {
        let mut seats = Seats::default();
        sits(&mut seats, "Ada Lovelace");
        sits(&mut seats, "두리");
        assert_eq!(seats.to_text(), "0 Ada Lovelace\n1 두리");
        assert_eq!(Seats::from_text(&seats.to_text()), seats);
        let damaged = "8 nobody\n\nx y\n1 두리\n0\n-1 a\n1 세나";
        assert_eq!(Seats::from_text(damaged).to_text(), "1 세나", "a slot has one name");
    }
}
