//! A feed as a script declares it: `feed::csv("users.csv").circular()`, before anyone has looked at the file.
//!
//! The functions of `feed::` only write down what they were given and where, as all declarations do; `feeds` reads the
//! files when the Plan is made, and a shard's machine takes the closures out. So evaluating a script reads no data.

use super::declare::{self, Declaration, What};
use crate::feed::Order;
use rhai::{Dynamic, Engine, Module, NativeCallContext};
use std::any::TypeId;

/// Where the rows come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// `feed::csv(path[, #{…}])`.
    Csv,
    /// `feed::json(path)`.
    Json,
    /// `feed::jsonl(path)`.
    Jsonl,
    /// `feed::lines(path)`.
    Lines,
    /// `feed::range(from, to[, step])`.
    Range,
    /// `feed::generate(|i| …)`.
    Generate,
}

impl From {
    /// The function's name.
    pub fn word(self) -> &'static str {
        match self {
            From::Csv => "csv",
            From::Json => "json",
            From::Jsonl => "jsonl",
            From::Lines => "lines",
            From::Range => "range",
            From::Generate => "generate",
        }
    }
}

/// What `feed::…` returns and `feed(name, …)` takes.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Which function made it.
    pub from: From,
    /// Its call: arguments and place.
    pub call: Declaration,
    /// The orders that were asked for; more than one is a mistake.
    pub orders: Vec<Order>,
}

/// Adds `feed::…` and the methods that choose an order.
pub fn register(engine: &mut Engine) {
    let mut module = Module::new();
    let draft = |context: &NativeCallContext<'_>, from, arguments: &[&Dynamic]| Draft {
        from,
        call: Declaration {
            what: What::Feed,
            arguments: arguments.iter().map(|argument| (*argument).clone()).collect(),
            file: context.call_source().map(str::to_owned),
            at: context.call_position(),
        },
        orders: Vec::new(),
    };
    for from in [From::Csv, From::Json, From::Jsonl, From::Lines, From::Generate] {
        module.set_native_fn(from.word(), move |context: NativeCallContext<'_>, what: Dynamic| {
            Ok(draft(&context, from, &[&what]))
        });
    }
    module.set_native_fn("csv", move |context: NativeCallContext<'_>, path: Dynamic, options: Dynamic| {
        Ok(draft(&context, From::Csv, &[&path, &options]))
    });
    module.set_native_fn("range", move |context: NativeCallContext<'_>, from: Dynamic, to: Dynamic| {
        Ok(draft(&context, From::Range, &[&from, &to]))
    });
    module.set_native_fn("range", move |context: NativeCallContext<'_>, from: Dynamic, to: Dynamic, step: Dynamic| {
        Ok(draft(&context, From::Range, &[&from, &to, &step]))
    });
    engine.register_static_module("feed", module.into());
    engine.register_type_with_name::<Draft>("source");
    for order in Order::ALL {
        engine.register_fn(order.word(), move |draft: &mut Draft| {
            let mut draft = draft.clone();
            draft.orders.push(order);
            draft
        });
    }
    engine.register_raw_fn("feed", [TypeId::of::<Dynamic>(); 2], |context, arguments| {
        declare::declare(&context, "feed", What::Feed, arguments)
    });
}
