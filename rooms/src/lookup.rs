//! A map that is asked for one key at a time. Nobody can walk through it: the order of what is
//! hashed is another in each process, and what this crate does must be repeatable.

use std::{collections::HashMap, hash::Hash};

/// Values by keys that may be anybody's choice: SipHash with a secret key, so that nobody can
/// choose many that fall together.
#[derive(Clone, Debug)]
pub(crate) struct Lookup<K, V>(HashMap<K, V>);

impl<K: Eq + Hash, V> Lookup<K, V> {
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.0.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.0.get_mut(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.0.insert(key, value);
    }

    pub(crate) fn remove(&mut self, key: &K) {
        self.0.remove(key);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Keeps what `keep` says, which is to depend on nothing but the value.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&mut V) -> bool) {
        self.0.retain(|_, value| keep(value));
    }
}

impl<K: Eq + Hash + Clone, V: Default> Lookup<K, V> {
    pub(crate) fn get_or_default(&mut self, key: &K) -> &mut V {
        self.0.entry(key.clone()).or_default()
    }
}

impl<K, V> Default for Lookup<K, V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}
