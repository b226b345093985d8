//! The store: counters, queues and maps that all users of a run share, over all shards.
//!
//! Made once per run and reached by scripts through `store::`. Values are JSON, copied in and read-only inside. Counters
//! are atomic; a queue or map has a short lock of its own, which nobody holds while waiting for anything. It takes no part
//! in measuring. Memory is bounded: what would exceed the limit is refused, never dropped in silence.

use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What an entry costs beside its own text: the allocation, its place in a queue or map.
const ENTRY: usize = 96;

/// Everything that a run's users share by name.
#[derive(Debug)]
pub struct Store {
    counters: Mutex<HashMap<String, Arc<AtomicI64>>>,
    queues: Mutex<HashMap<String, Arc<Queue>>>,
    maps: Mutex<HashMap<String, Arc<Table>>>,
    room: Arc<Room>,
}

/// How much there may be, and how much there is.
#[derive(Debug)]
struct Room {
    limit: usize,
    used: AtomicUsize,
}

/// The store is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full {
    /// Bytes that it may hold.
    pub limit: usize,
}

/// A value with what it was reckoned at.
#[derive(Debug)]
struct Kept {
    value: Arc<Value>,
    size: usize,
}

/// First in, first out.
#[derive(Debug)]
pub struct Queue {
    items: Mutex<VecDeque<Kept>>,
    room: Arc<Room>,
}

/// Values by key.
#[derive(Debug)]
pub struct Table {
    items: Mutex<HashMap<String, Kept>>,
    room: Arc<Room>,
}

impl Room {
    fn take(&self, size: usize) -> Result<(), Full> {
        let fits = |used: usize| used.checked_add(size).filter(|used| *used <= self.limit);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).map_err(|_| Full { limit: self.limit })?;
        Ok(())
    }

    fn give(&self, size: usize) {
        self.used.fetch_sub(size, Ordering::Relaxed);
    }
}

/// No code of ours panics while it holds a lock, so there is nothing half done behind a poisoned one.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// About the bytes that a value takes.
fn size(value: &Value) -> usize {
    let inside = match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(fields) => fields.iter().map(|(name, value)| name.len() + size(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    ENTRY + inside
}

impl Store {
    /// An empty one that holds at most about `limit` bytes.
    pub fn new(limit: usize) -> Store {
        let room = Arc::new(Room { limit, used: AtomicUsize::new(0) });
        Store { counters: Mutex::default(), queues: Mutex::default(), maps: Mutex::default(), room }
    }

    /// Bytes in use, about.
    pub fn used(&self) -> usize {
        self.room.used.load(Ordering::Relaxed)
    }

    fn named<T>(
        &self,
        all: &Mutex<HashMap<String, Arc<T>>>,
        name: &str,
        make: impl FnOnce() -> T,
    ) -> Result<Arc<T>, Full> {
        let mut all = locked(all);
        if let Some(known) = all.get(name) {
            return Ok(Arc::clone(known));
        }
        self.room.take(ENTRY + name.len())?;
        let made = Arc::new(make());
        all.insert(name.to_owned(), Arc::clone(&made));
        Ok(made)
    }

    /// The counter of that name, at 0 when it is new.
    ///
    /// # Errors
    /// The store is full.
    pub fn counter(&self, name: &str) -> Result<Arc<AtomicI64>, Full> {
        self.named(&self.counters, name, AtomicI64::default)
    }

    /// The queue of that name.
    ///
    /// # Errors
    /// The store is full.
    pub fn queue(&self, name: &str) -> Result<Arc<Queue>, Full> {
        let room = Arc::clone(&self.room);
        self.named(&self.queues, name, || Queue { items: Mutex::default(), room })
    }

    /// The map of that name.
    ///
    /// # Errors
    /// The store is full.
    pub fn map(&self, name: &str) -> Result<Arc<Table>, Full> {
        let room = Arc::clone(&self.room);
        self.named(&self.maps, name, || Table { items: Mutex::default(), room })
    }
}

impl Queue {
    /// Adds a value at the end.
    ///
    /// # Errors
    /// The store is full.
    pub fn push(&self, value: Value) -> Result<(), Full> {
        let size = size(&value);
        self.room.take(size)?;
        locked(&self.items).push_back(Kept { value: Arc::new(value), size });
        Ok(())
    }

    /// Takes the value at the front.
    pub fn pop(&self) -> Option<Arc<Value>> {
        let kept = locked(&self.items).pop_front()?;
        self.room.give(kept.size);
        Some(kept.value)
    }

    /// How many values wait.
    pub fn len(&self) -> usize {
        locked(&self.items).len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all.
    pub fn clear(&self) {
        let all = std::mem::take(&mut *locked(&self.items));
        self.room.give(all.iter().map(|kept| kept.size).sum());
    }
}

impl Table {
    /// Sets a key.
    ///
    /// # Errors
    /// The store is full; the key keeps its old value.
    pub fn set(&self, key: &str, value: Value) -> Result<(), Full> {
        let size = size(&value) + key.len();
        self.room.take(size)?;
        let old = locked(&self.items).insert(key.to_owned(), Kept { value: Arc::new(value), size });
        self.room.give(old.map_or(0, |old| old.size));
        Ok(())
    }

    /// Sets a key that is not there; whether it was not. Of many users that try, one succeeds.
    ///
    /// # Errors
    /// The store is full.
    pub fn set_new(&self, key: &str, value: Value) -> Result<bool, Full> {
        let size = size(&value) + key.len();
        let mut items = locked(&self.items);
        if items.contains_key(key) {
            return Ok(false);
        }
        self.room.take(size)?;
        items.insert(key.to_owned(), Kept { value: Arc::new(value), size });
        Ok(true)
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<Arc<Value>> {
        locked(&self.items).get(key).map(|kept| Arc::clone(&kept.value))
    }

    /// Takes a key out.
    pub fn remove(&self, key: &str) -> Option<Arc<Value>> {
        let kept = locked(&self.items).remove(key)?;
        self.room.give(kept.size);
        Some(kept.value)
    }

    /// Whether there is such a key.
    pub fn contains(&self, key: &str) -> bool {
        locked(&self.items).contains_key(key)
    }

    /// How many keys.
    pub fn len(&self) -> usize {
        locked(&self.items).len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All keys, sorted.
    pub fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = locked(&self.items).keys().cloned().collect();
        keys.sort_unstable();
        keys
    }

    /// Forgets all.
    pub fn clear(&self) {
        let all = std::mem::take(&mut *locked(&self.items));
        self.room.give(all.values().map(|kept| kept.size).sum());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::thread;

    #[test]
    fn a_name_is_the_same_thing_for_everyone() {
        let store = Store::new(1 << 20);
        store.counter("a").unwrap().fetch_add(2, Ordering::Relaxed);
        assert_eq!(store.counter("a").unwrap().load(Ordering::Relaxed), 2);
        store.queue("a").unwrap().push(json!([1])).unwrap();
        assert!(store.queue("b").unwrap().is_empty(), "another name is another queue");
        assert_eq!(store.queue("a").unwrap().pop().as_deref(), Some(&json!([1])));
        store.map("a").unwrap().set("k", json!("v")).unwrap();
        assert_eq!(store.map("a").unwrap().get("k").as_deref(), Some(&json!("v")));
    }

    #[test]
    fn what_does_not_fit_is_refused_and_what_goes_makes_room() {
        let store = Store::new(10_000);
        let (queue, map) = (store.queue("q").unwrap(), store.map("m").unwrap());
        let empty = store.used();
        let long = json!("x".repeat(6_000));
        queue.push(long.clone()).unwrap();
        assert_eq!(queue.push(long.clone()), Err(Full { limit: 10_000 }));
        assert_eq!(map.set("k", long.clone()), Err(Full { limit: 10_000 }));
        assert_eq!((queue.len(), map.len()), (1, 0));
        queue.pop();
        assert_eq!(store.used(), empty);
        map.set("k", json!(1)).unwrap();
        map.set("k", json!("longer")).unwrap();
        assert_eq!(map.set_new("k", json!(2)), Ok(false));
        assert_eq!(map.remove("k").as_deref(), Some(&json!("longer")));
        assert_eq!(map.set_new("k", json!(2)), Ok(true));
        queue.push(json!({ "a": [1, 2] })).unwrap();
        map.clear();
        queue.clear();
        assert_eq!(store.used(), empty);
        let names = (0..).map(|n| store.counter(&format!("counter {n}"))).take_while(Result::is_ok).count();
        assert!((1..200).contains(&names), "names count as well: {names}");
    }

    #[test]
    fn threads_push_and_pop_each_value_once() {
        let store = Store::new(64 << 20);
        let popped: i64 = thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let queue = store.queue("q").unwrap();
                        (1..=1_000).for_each(|n| queue.push(json!(n)).unwrap());
                        (0..1_000).map(|_| queue.pop().unwrap().as_i64().unwrap()).sum::<i64>()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(popped, 4 * 500_500);
        assert!(store.queue("q").unwrap().is_empty());
    }
}
