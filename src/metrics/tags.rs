//! Tags: the labels that make one metric into many series.

use std::fmt;
use std::sync::Arc;

/// An immutable set of tags, sorted by name. Cheap to clone and to send to another thread.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TagSet(Arc<[(Arc<str>, Arc<str>)]>);

impl TagSet {
    /// No tags: the series over everything.
    pub fn empty() -> Self {
        TagSet(Arc::from([]))
    }

    /// From pairs in any order; of two pairs with one name the later wins.
    pub fn new<K: Into<Arc<str>>, V: Into<Arc<str>>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut tags: Vec<(Arc<str>, Arc<str>)> = Vec::new();
        for (name, value) in pairs {
            let (name, value) = (name.into(), value.into());
            match tags.iter_mut().find(|(known, _)| *known == name) {
                Some(slot) => slot.1 = value,
                None => tags.push((name, value)),
            }
        }
        tags.sort();
        TagSet(tags.into())
    }

    /// This set with more pairs, which win over those of the same name.
    pub fn with<K: Into<Arc<str>>, V: Into<Arc<str>>>(&self, pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let ours = self.0.iter().cloned();
        TagSet::new(ours.chain(pairs.into_iter().map(|(name, value)| (name.into(), value.into()))))
    }

    /// The value of one tag.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| &**known == name).map(|(_, value)| &**value)
    }

    /// All tags, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Whether there is no tag.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for TagSet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl fmt::Display for TagSet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("{")?;
        for (at, (name, value)) in self.iter().enumerate() {
            write!(out, "{}{name}:{value}", if at == 0 { "" } else { "," })?;
        }
        out.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_writing_does_not_matter_and_the_later_value_wins() {
        let one = TagSet::new([("name", "a"), ("method", "GET")]);
        let other = TagSet::new([("method", "PUT"), ("name", "a"), ("method", "GET")]);
        assert_eq!(one, other);
        assert_eq!(one.with([("name", "b")]).get("name"), Some("b"));
        assert_eq!(one.to_string(), "{method:GET,name:a}");
    }
}
