//! The query of a request, read with reasons: what a handler does not know is refused, not ignored.

use super::problem::Problem;
use crate::diagnostic::did_you_mean;
use axum::http::Uri;
use std::ops::RangeInclusive;

/// The parameters of one request.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query of which these names are known.
    ///
    /// # Errors
    /// A name is unknown, or given twice.
    pub(super) fn read(uri: &Uri, known: &[&str]) -> Result<Self, Problem> {
        let query = uri.query().unwrap_or_default();
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if !known.contains(&&*name) {
                let nearest = did_you_mean(&name, known.iter().copied());
                let meant = nearest.map_or_else(
                    || format!("the parameters are {}", known.join(", ")),
                    |nearest| format!("did you mean `{nearest}`?"),
                );
                return Err(Problem::bad(format!("there is no parameter `{name}` here: {meant}")));
            }
            if pairs.iter().any(|(other, _)| *other == name) {
                return Err(Problem::bad(format!("`{name}` is given twice")));
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Query(pairs))
    }

    /// The text of a parameter.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A whole number.
    ///
    /// # Errors
    /// It is none, or not within the range.
    pub(super) fn whole(&self, name: &str, default: u64, range: RangeInclusive<u64>) -> Result<u64, Problem> {
        let Some(text) = self.text(name) else { return Ok(default) };
        let within = || format!("a whole number from {} to {}", range.start(), range.end());
        match text.parse() {
            Ok(number) if range.contains(&number) => Ok(number),
            _ => Err(Problem::bad(format!("`{name}={text}`: {} is wanted", within()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<(u64, Option<String>), String> {
        let uri: Uri = format!("/a?{query}").parse().unwrap();
        let told = |problem: Problem| problem.told().1.to_owned();
        let query = Query::read(&uri, &["window", "name"]).map_err(told)?;
        let window = query.whole("window", 300, 1..=3600).map_err(told)?;
        Ok((window, query.text("name").map(str::to_owned)))
    }

    #[test]
    fn nonsense_is_refused_with_its_reason() {
        assert_eq!(read(""), Ok((300, None)));
        assert_eq!(read("window=5&name=a%20b%26c"), Ok((5, Some("a b&c".to_owned()))));
        for (query, why) in [
            ("window=0", "`window=0`: a whole number from 1 to 3600 is wanted"),
            ("window=5m", "`window=5m`: a whole number from 1 to 3600 is wanted"),
            ("window=-1", "`window=-1`: a whole number from 1 to 3600 is wanted"),
            ("window=99999999999999999999", "`window=99999999999999999999`: a whole number from 1 to 3600 is wanted"),
            ("window=1&window=2", "`window` is given twice"),
            ("windoww=1", "there is no parameter `windoww` here: did you mean `window`?"),
            ("zzz", "there is no parameter `zzz` here: the parameters are window, name"),
        ] {
            assert_eq!(read(query), Err(why.to_owned()));
        }
    }
}
