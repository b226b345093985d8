//! What the target does to requests: latency, errors, faults, stalls, slow bodies; one decision per request.
//!
//! Set at start, by `RunningTarget::set_dials`, by `PUT /_target/dials`, or for one request by its own query or
//! headers. It deliberately does not carry anything out: `service` holds and answers, `connection` spoils.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::latency::Latency;
use super::options::DialError;
use super::random::Random;
use super::stall::Stall;

/// The dials, all at rest by default. Shares are between 0 and 1 and may not add up to more than 1.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dials {
    /// How long each request is held before its answer is written.
    pub latency: Latency,
    /// Share of requests answered by 500 (after their latency).
    pub error: f64,
    /// Share of requests spoiled by each fault.
    pub faults: Vec<(Fault, f64)>,
    /// A span in which no answer leaves.
    pub stall: Option<Stall>,
    /// Bodies leave at this many bytes per second; `None` at once.
    pub body_rate: Option<u64>,
    /// The port is closed: new connections are refused, those open go on.
    pub refuse: bool,
    /// What happens to a new connection.
    pub connect: OnConnect,
    /// After this many requests a connection ends: `Connection: close`, or GOAWAY on HTTP/2. `None` never.
    pub requests_per_connection: Option<u32>,
}

/// What happens to a connection when it is accepted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnConnect {
    /// It is served.
    #[default]
    Serve,
    /// It is never read nor answered; under TLS this is a handshake that stalls.
    Silent,
    /// It is reset.
    Reset,
    /// It is closed.
    Close,
    /// It is greeted with bytes that are neither HTTP nor TLS, then closed when the client says anything.
    Garbage,
}

/// What one request gets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fate {
    /// How long it is held.
    pub latency: Duration,
    /// How it ends.
    pub outcome: Outcome,
}

/// How a request ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// As its path says.
    Answer,
    /// 500.
    Error,
    /// Spoiled.
    Spoil(Fault),
}

impl Dials {
    /// Decides one request; `over` holds what the request itself asked for.
    pub fn decide(&self, over: &Override, random: &mut Random) -> Fate {
        let latency = over.latency.as_ref().unwrap_or(&self.latency);
        let latency = if latency.is_zero() { Duration::ZERO } else { latency.draw(random) };
        if let Some(outcome) = over.outcome {
            return Fate { latency, outcome };
        }
        let mut outcome = Outcome::Answer;
        if self.error > 0.0 || !self.faults.is_empty() {
            let mut left = random.unit() - self.error;
            if left < 0.0 {
                outcome = Outcome::Error;
            } else {
                for &(fault, share) in &self.faults {
                    left -= share;
                    if left < 0.0 {
                        outcome = Outcome::Spoil(fault);
                        break;
                    }
                }
            }
        }
        Fate { latency, outcome }
    }

    /// Refuses shares outside 0–1 and sums above 1.
    pub fn check(&self) -> Result<(), DialError> {
        let mut sum = 0.0;
        let shares = self.faults.iter().map(|&(fault, share)| (fault.name(), share));
        for (name, share) in shares.chain([("error", self.error)]) {
            if !(0.0..=1.0).contains(&share) {
                return Err(DialError::new("share", &format!("{name}={share}"), "a share lies between 0 and 1"));
            }
            sum += share;
        }
        if sum > 1.0 + 1e-9 {
            return Err(DialError::new("share", &sum.to_string(), "all shares together are at most 1"));
        }
        if self.body_rate == Some(0) || self.requests_per_connection == Some(0) {
            return Err(DialError::new("rate", "0", "leave it out, or give at least 1"));
        }
        Ok(())
    }

    /// Reads the JSON form; what is left out is at rest.
    pub fn from_json(json: &[u8]) -> Result<Self, DialError> {
        let form: DialsForm = serde_json::from_slice(json)
            .map_err(|error| DialError::new("dials", &String::from_utf8_lossy(json), &error.to_string()))?;
        let mut faults = Vec::new();
        for (name, share) in form.faults {
            faults.push((name.parse()?, share));
        }
        let dials = Self {
            latency: form.latency.as_deref().map_or(Ok(Latency::default()), str::parse)?,
            error: form.error,
            faults,
            stall: form.stall.as_deref().map(str::parse).transpose()?,
            body_rate: form.body_rate,
            refuse: form.refuse,
            connect: form.connect.as_deref().map_or(Ok(OnConnect::Serve), str::parse)?,
            requests_per_connection: form.requests_per_connection,
        };
        dials.check()?;
        Ok(dials)
    }

    /// The JSON form, complete.
    pub fn to_json(&self) -> serde_json::Value {
        let form = DialsForm {
            latency: Some(self.latency.to_string()),
            error: self.error,
            faults: self.faults.iter().map(|&(fault, share)| (fault.name().to_owned(), share)).collect(),
            stall: self.stall.map(|stall| stall.to_string()),
            body_rate: self.body_rate,
            refuse: self.refuse,
            connect: Some(self.connect.name().to_owned()),
            requests_per_connection: self.requests_per_connection,
        };
        serde_json::to_value(form).expect("strings, numbers and a map with string keys")
    }
}

/// The dials as `PUT /_target/dials` takes them: values in their text forms.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct DialsForm {
    latency: Option<String>,
    error: f64,
    faults: BTreeMap<String, f64>,
    stall: Option<String>,
    body_rate: Option<u64>,
    refuse: bool,
    connect: Option<String>,
    requests_per_connection: Option<u32>,
}

/// What one request asks for itself: `?latency=…`, `?fault=…`, `?error=1`, `?body_rate=…`, or the same as headers
/// `x-target-latency`, `x-target-fault`, `x-target-body-rate`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Override {
    /// In place of the dial.
    pub latency: Option<Latency>,
    /// In place of the dials' draw.
    pub outcome: Option<Outcome>,
    /// In place of the dial.
    pub body_rate: Option<u64>,
}

impl Override {
    /// Takes one named wish; names that are no dial are left alone.
    pub fn take(&mut self, name: &str, value: &str) -> Result<(), DialError> {
        match name {
            "latency" => self.latency = Some(value.parse()?),
            "fault" if value == "none" => self.outcome = Some(Outcome::Answer),
            "fault" if value == "error" => self.outcome = Some(Outcome::Error),
            "fault" => self.outcome = Some(Outcome::Spoil(value.parse()?)),
            "body_rate" => {
                let rate = value.parse().ok().filter(|&rate| rate > 0);
                let wrong = || DialError::new("body_rate", value, "bytes per second, at least 1");
                self.body_rate = Some(rate.ok_or_else(wrong)?);
            }
            _ => {}
        }
        Ok(())
    }
}

/// Reads `reset=5%, garbage=0.01` (the text form of [`Dials::faults`]).
pub fn parse_faults(text: &str) -> Result<Vec<(Fault, f64)>, DialError> {
    let mut list = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, share) =
            part.split_once('=').ok_or_else(|| DialError::new("faults", part, "write name=share, such as reset=5%"))?;
        list.push((name.trim().parse()?, parse_share(share)?));
    }
    Ok(list)
}

/// Reads a share: `0.05` or `5%`.
pub fn parse_share(text: &str) -> Result<f64, DialError> {
    let text = text.trim();
    let (number, scale) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 0.01));
    let wrong = || DialError::new("share", text, "write 0.05 or 5%, between 0 and 1");
    let share = number.trim().parse::<f64>().map_err(|_| wrong())? * scale;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err(wrong()) }
}

impl OnConnect {
    const ALL: [Self; 5] = [Self::Serve, Self::Silent, Self::Reset, Self::Close, Self::Garbage];

    /// Its name in dials.
    pub fn name(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Silent => "silent",
            Self::Reset => "reset",
            Self::Close => "close",
            Self::Garbage => "garbage",
        }
    }
}

impl FromStr for OnConnect {
    type Err = DialError;

    fn from_str(text: &str) -> Result<Self, DialError> {
        let wrong = || DialError::new("connect", text, "one of serve, silent, reset, close, garbage");
        Self::ALL.into_iter().find(|choice| choice.name() == text).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_come_out_as_often_as_they_say() {
        let dials = Dials { error: 0.1, faults: vec![(Fault::Reset, 0.05), (Fault::Garbage, 0.2)], ..Dials::default() };
        let mut random = Random::new(3);
        let mut count = BTreeMap::new();
        for _ in 0..100_000 {
            let outcome = dials.decide(&Override::default(), &mut random).outcome;
            *count.entry(format!("{outcome:?}")).or_insert(0u32) += 1;
        }
        for (name, share) in [("Error", 0.1), ("Spoil(Reset)", 0.05), ("Spoil(Garbage)", 0.2), ("Answer", 0.65)] {
            let got = f64::from(count[name]) / 100_000.0;
            assert!((got - share).abs() < 0.005, "{name}: {got}");
        }
    }

    #[test]
    fn json_round_trips_and_wrong_json_says_why() {
        let json = br#"{"latency":"uniform(1ms, 5ms)","error":0.05,"faults":{"reset":0.01},"stall":"2s+500ms",
            "body_rate":1000,"refuse":true,"connect":"silent","requests_per_connection":9}"#;
        let dials = Dials::from_json(json).unwrap();
        assert_eq!(dials.stall, "2s+500ms".parse().ok());
        assert_eq!(Dials::from_json(dials.to_json().to_string().as_bytes()), Ok(dials));
        assert_eq!(Dials::from_json(b"{}"), Ok(Dials::default()));
        for (json, why) in [
            (r#"{"latancy":"1ms"}"#, "unknown field `latancy`"),
            (r#"{"error":1.5}"#, "between 0 and 1"),
            (r#"{"error":0.6,"faults":{"reset":0.6}}"#, "at most 1"),
            (r#"{"faults":{"rest":0.6}}"#, "one of reset"),
            (r#"{"body_rate":0}"#, "at least 1"),
        ] {
            let error = Dials::from_json(json.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(why), "{json}: {error}");
        }
    }

    #[test]
    fn a_request_can_ask_for_its_own_fate() {
        let dials = Dials { error: 1.0, ..Dials::default() };
        let mut over = Override::default();
        over.take("latency", "3ms").unwrap();
        over.take("fault", "none").unwrap();
        over.take("colour", "red").unwrap();
        let fate = dials.decide(&over, &mut Random::new(1));
        assert_eq!(fate, Fate { latency: Duration::from_millis(3), outcome: Outcome::Answer });
        assert!(over.take("fault", "tornado").is_err());
        assert!(over.take("body_rate", "0").is_err());
    }

    #[test]
    fn text_forms_of_faults() {
        assert_eq!(parse_faults("reset=5%, garbage=0.01"), Ok(vec![(Fault::Reset, 0.05), (Fault::Garbage, 0.01)]));
        assert!(parse_faults("reset").is_err());
        assert!(parse_share("105%").is_err());
    }
}
