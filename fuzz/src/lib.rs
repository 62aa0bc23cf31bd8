//! What several targets share: an input taken apart, and a directory of a target's own.
//!
//! A target must never do anything but hand an input to the code and ask what must hold for every
//! input. What it finds becomes an ordinary test beside the code.

use std::{fs, path::PathBuf};

use serde_json::Value;

/// An input, from its beginning on. Where it has ended, everything is 0.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// The next two bytes.
    pub fn short(&mut self) -> usize {
        usize::from(self.byte()) << 8 | usize::from(self.byte())
    }

    /// The next bytes, at most so many.
    pub fn take(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Everything up to the next such byte, which goes too; all of it where there is none.
    pub fn until(&mut self, end: u8) -> &'a [u8] {
        let at = self.0.iter().position(|byte| *byte == end).unwrap_or(self.0.len());
        let taken = self.take(at);
        self.byte();
        taken
    }
}

/// JSON as serde parsed it, in place of a browser.
#[derive(Clone, Debug)]
pub struct Parsed(pub Value);

impl common::codec::read::Json for Parsed {
    fn field(&self, name: &str) -> Option<Self> {
        self.0.get(name).filter(|field| !field.is_null()).cloned().map(Self)
    }

    fn text(&self) -> Option<String> {
        self.0.as_str().map(str::to_owned)
    }

    fn number(&self) -> Option<u64> {
        self.0.as_u64()
    }

    fn flag(&self) -> Option<bool> {
        self.0.as_bool()
    }

    fn list(&self) -> Option<Vec<Self>> {
        Some(self.0.as_array()?.iter().cloned().map(Self).collect())
    }
}

/// A new directory in memory, if this machine has any there.
#[must_use]
pub fn directory(name: &str) -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let place = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let path = place.join(format!("madang-fuzz-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("a directory can be made");
    path
}
