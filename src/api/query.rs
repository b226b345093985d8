//! The query of a request, read with reasons: what a row does not know is refused, not ignored.
//!
//! `router` reads it once around every row and leaves it with the request; a handler that has parameters takes it as an argument.

use super::problem::Problem;
use crate::diagnostic::did_you_mean;
use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use regex::Regex;
use std::convert::Infallible;

/// One parameter: what it may be, said once for who reads it and who documents it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    /// What it means: one line.
    pub(super) about: &'static str,
    pub(super) kind: Kind,
    /// Whether it must be there.
    pub(super) required: bool,
    /// One that is right in any run, for those who read the contract.
    pub(super) example: Option<&'static str>,
}

/// What a parameter may be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// A whole number within a range, and what it is when nobody says it, if that is always the same.
    Whole { least: u64, most: u64, default: Option<u64> },
    /// One of these words, and which when nobody says it.
    Choice { words: &'static [&'static str], default: Option<&'static str> },
    /// A text, and which, as a regular expression.
    Text { pattern: Option<&'static str> },
}

impl Parameter {
    /// A whole number.
    pub(super) const fn whole(
        name: &'static str,
        about: &'static str,
        least: u64,
        most: u64,
        default: Option<u64>,
    ) -> Self {
        Parameter { name, about, kind: Kind::Whole { least, most, default }, required: false, example: None }
    }

    /// One of some words.
    pub(super) const fn choice(
        name: &'static str,
        about: &'static str,
        words: &'static [&'static str],
        default: Option<&'static str>,
    ) -> Self {
        Parameter { name, about, kind: Kind::Choice { words, default }, required: false, example: None }
    }

    /// A text.
    pub(super) const fn text(name: &'static str, about: &'static str) -> Self {
        Parameter { name, about, kind: Kind::Text { pattern: None }, required: false, example: None }
    }

    /// The same, but only texts that match: anything else is refused.
    pub(super) const fn pattern(self, pattern: &'static str) -> Self {
        Parameter { kind: Kind::Text { pattern: Some(pattern) }, ..self }
    }

    /// The same, with one that is right in any run.
    pub(super) const fn example(self, example: &'static str) -> Self {
        Parameter { example: Some(example), ..self }
    }

    /// The same, but it must be there.
    pub(super) const fn required(self) -> Self {
        Parameter { required: true, ..self }
    }

    /// What is wrong with this value of it.
    pub(super) fn fault(&self, value: &str) -> Option<String> {
        match self.kind {
            Kind::Whole { least, most, .. } => {
                let digits = value.bytes().all(|byte| byte.is_ascii_digit());
                let within = digits && value.parse().is_ok_and(|number: u64| (least..=most).contains(&number));
                (!within).then(|| format!("a whole number from {least} to {most} is wanted"))
            }
            Kind::Choice { words, .. } if !words.contains(&value) => {
                let meant = did_you_mean(value, words.iter().copied()).map(|near| format!("did you mean `{near}`? "));
                Some(format!("{}it is one of {}", meant.unwrap_or_default(), words.join(", ")))
            }
            Kind::Text { pattern: Some(pattern) } => {
                let matches = Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(value));
                (!matches).then(|| match self.example {
                    Some(example) => format!("it is written like `{example}`"),
                    None => format!("it is written otherwise: {}", self.about),
                })
            }
            Kind::Choice { .. } | Kind::Text { pattern: None } => None,
        }
    }
}

/// The words of a table, for a choice among them.
pub(super) const fn words<T, const COUNT: usize>(table: &[(&'static str, T); COUNT]) -> [&'static str; COUNT] {
    let mut words = [""; COUNT];
    let mut at = 0;
    while at < COUNT {
        words[at] = table[at].0;
        at += 1;
    }
    words
}

/// The parameters of one request.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pairs: Vec<(String, String)>,
    known: &'static [Parameter],
}

impl Query {
    /// Reads a query of which these parameters are known.
    ///
    /// # Errors
    /// A name is unknown or given twice, a value is not what it may be, or one that must be there is missing.
    pub(super) fn read(uri: &Uri, known: &'static [Parameter]) -> Result<Self, Problem> {
        let query = uri.query().unwrap_or_default();
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let names = || known.iter().map(|parameter| parameter.name);
            let Some(parameter) = known.iter().find(|parameter| parameter.name == name) else {
                let meant = match did_you_mean(&name, names()) {
                    Some(nearest) => format!(": did you mean `{nearest}`?"),
                    None if known.is_empty() => String::new(),
                    None => format!(": the parameters are {}", Vec::from_iter(names()).join(", ")),
                };
                return Err(Problem::bad(format!("there is no parameter `{name}` here{meant}")));
            };
            if pairs.iter().any(|(other, _)| *other == name) {
                return Err(Problem::bad(format!("`{name}` is given twice")));
            }
            if let Some(fault) = parameter.fault(&value) {
                return Err(Problem::bad(format!("`{name}={value}`: {fault}")));
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        let missing = known.iter().find(|one| one.required && pairs.iter().all(|(name, _)| name != one.name));
        match missing {
            Some(missing) => Err(Problem::bad(format!("`{}` is missing: {}", missing.name, missing.about))),
            None => Ok(Query { pairs, known }),
        }
    }

    /// The text of a parameter; of a choice, its default when nobody said it.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let said = self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        said.or_else(|| match self.kind(name)? {
            Kind::Choice { default, .. } => default,
            _ => None,
        })
    }

    /// The number of a parameter, or its default.
    pub(super) fn whole(&self, name: &str) -> Option<u64> {
        let said = self.pairs.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.parse().ok());
        said.or_else(|| match self.kind(name)? {
            Kind::Whole { default, .. } => default,
            _ => None,
        })
    }

    /// The entry of a table for the word of a choice that has a default; the words of the choice are those of the table.
    pub(super) fn chosen<T: Copy>(&self, name: &str, table: &[(&'static str, T)]) -> (&'static str, T) {
        let said = self.text(name);
        let found = table.iter().find(|(word, _)| Some(*word) == said);
        *found.expect("a choice with a default is always one of its words")
    }

    fn kind(&self, name: &str) -> Option<Kind> {
        self.known.iter().find(|parameter| parameter.name == name).map(|parameter| parameter.kind)
    }
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    /// What was read around the row.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.remove().expect("the query of every row is read before its handler is called"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Parameter] = &[
        Parameter::whole("window", "how far back, in seconds", 1, 3600, Some(300)),
        Parameter::text("name", "whose"),
        Parameter::choice("level", "from which level on", &["info", "error"], Some("info")),
    ];

    fn read(query: &str) -> Result<(u64, Option<String>), String> {
        let uri: Uri = format!("/a?{query}").parse().unwrap();
        let query = Query::read(&uri, KNOWN).map_err(|problem| problem.told().1.to_owned())?;
        assert!(query.text("level").is_some());
        Ok((query.whole("window").unwrap(), query.text("name").map(str::to_owned)))
    }

    #[test]
    fn nonsense_is_refused_with_its_reason() {
        assert_eq!(read(""), Ok((300, None)));
        assert_eq!(read("window=5&name=a%20b%26c&level=error"), Ok((5, Some("a b&c".to_owned()))));
        for (query, why) in [
            ("window=0", "`window=0`: a whole number from 1 to 3600 is wanted"),
            ("window=", "`window=`: a whole number from 1 to 3600 is wanted"),
            ("window=5m", "`window=5m`: a whole number from 1 to 3600 is wanted"),
            ("window=%2B5", "`window=+5`: a whole number from 1 to 3600 is wanted"),
            ("window=-1", "`window=-1`: a whole number from 1 to 3600 is wanted"),
            ("window=99999999999999999999", "`window=99999999999999999999`: a whole number from 1 to 3600 is wanted"),
            ("window=1&window=2", "`window` is given twice"),
            ("windoww=1", "there is no parameter `windoww` here: did you mean `window`?"),
            ("zzz", "there is no parameter `zzz` here: the parameters are window, name, level"),
            ("level=infos", "`level=infos`: did you mean `info`? it is one of info, error"),
        ] {
            assert_eq!(read(query), Err(why.to_owned()));
        }
        let uri: Uri = "/a?b=1".parse().unwrap();
        assert_eq!(Query::read(&uri, &[]).unwrap_err().told().1, "there is no parameter `b` here");
        const MUST: &[Parameter] = &[Parameter::text("name", "which metric").required()];
        let uri: Uri = "/a".parse().unwrap();
        assert_eq!(Query::read(&uri, MUST).unwrap_err().told().1, "`name` is missing: which metric");
    }
}
