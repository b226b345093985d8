//! The shop: a hundred products, logins, carts, orders; JSON here, HTML in `pages`.
//!
//! Called by `service` for every path that is no tool. Products are made once and never change (stock is a number to
//! show, not a store that empties), so the hot paths are lookups of ready bytes without a lock; sessions stand behind
//! one lock and are bounded, the oldest are forgotten. It deliberately does not know latency or faults.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::{AUTHORIZATION, SET_COOKIE};
use http::{Method, StatusCode};
use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use super::random::scramble;
use super::reply::{Asked, Reply};

/// How many products there are; their ids are 1 to this.
pub const PRODUCTS: u32 = 100;
/// A cart holds at most this many lines.
const CART_LINES: usize = 100;

/// One thing to buy.
#[derive(Debug)]
pub struct Product {
    /// 1 to [`PRODUCTS`].
    pub id: u32,
    /// Two words, unique.
    pub name: String,
    /// In cents.
    pub cents: u32,
    /// How many there are said to be.
    pub stock: u32,
    json: Bytes,
}

/// What the shop knows.
#[derive(Debug)]
pub struct Shop {
    products: Vec<Product>,
    catalogue: Bytes,
    secret: u64,
    sessions: Mutex<Sessions>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Sessions {
    by_token: FxHashMap<String, Session>,
    oldest_first: VecDeque<String>,
    made: u64,
    orders: u64,
}

#[derive(Debug, Clone, Default)]
struct Session {
    user: Option<String>,
    cart: Vec<(u32, u32)>,
}

impl Shop {
    /// A shop whose tokens follow from `seed` and that remembers at most `capacity` sessions.
    pub fn new(seed: u64, capacity: usize) -> Self {
        let products: Vec<Product> = (1..=PRODUCTS).map(Product::numbered).collect();
        let list: Vec<Value> = products.iter().map(Product::to_json).collect();
        let catalogue = Bytes::from(Value::from(list).to_string());
        let secret = scramble(seed ^ 0x5EC2_E7A1);
        Self { products, catalogue, secret, sessions: Mutex::default(), capacity: capacity.max(1) }
    }

    /// Forgets all sessions and orders.
    pub fn reset(&self) {
        let mut sessions = self.sessions();
        let made = sessions.made;
        *sessions = Sessions { made, ..Sessions::default() };
    }

    /// All products.
    pub fn products(&self) -> &[Product] {
        &self.products
    }

    /// The product with this id.
    pub fn product(&self, id: &str) -> Option<&Product> {
        let id: usize = id.parse().ok()?;
        self.products.get(id.checked_sub(1)?)
    }

    /// Answers an `/api/` path; `None` when it is none of the shop's.
    pub fn api(&self, asked: &Asked<'_>) -> Option<Reply> {
        let path = asked.path().strip_prefix("/api/")?;
        let method = if asked.is_get() { &Method::GET } else { &asked.head.method };
        Some(match (method, path) {
            (&Method::GET, "products") => Reply::bytes(StatusCode::OK, JSON, self.catalogue.clone()),
            (&Method::GET, "search") => self.search(asked),
            (&Method::GET, "cart") => self.cart(asked),
            (&Method::POST, "cart") => self.put_in_cart(asked),
            (&Method::POST, "login") => self.login(asked),
            (&Method::POST, "checkout") => self.checkout(asked),
            (&Method::POST, "reset") => {
                self.reset();
                Reply::ok(&json!({ "reset": true }))
            }
            (_, "products" | "search" | "cart" | "login" | "checkout" | "reset") => wrong_method(),
            (&Method::GET, _) => {
                let product = path.strip_prefix("products/").and_then(|id| self.product(id));
                product.map_or_else(Reply::not_found, |it| Reply::bytes(StatusCode::OK, JSON, it.json.clone()))
            }
            _ => Reply::not_found(),
        })
    }

    fn search(&self, asked: &Asked<'_>) -> Reply {
        let wanted = asked.parameter("q").unwrap_or_default().to_lowercase();
        let found = self.products.iter().filter(|product| product.name.to_lowercase().contains(&wanted));
        let found: Vec<Value> = found.map(Product::to_json).collect();
        Reply::ok(&json!({ "query": wanted, "count": found.len(), "results": found }))
    }

    fn login(&self, asked: &Asked<'_>) -> Reply {
        let given: Option<Value> = serde_json::from_slice(asked.body).ok();
        let user = given.as_ref().and_then(|given| given["user"].as_str()).filter(|user| is_name(user));
        let Some(user) = user else {
            return Reply::error(StatusCode::BAD_REQUEST, "send JSON with a `user` of 1 to 64 characters");
        };
        let token = self.open_session(Some(user));
        Reply::ok(&json!({ "token": token, "user": user })).with_text(SET_COOKIE, &cookie(&token))
    }

    fn cart(&self, asked: &Asked<'_>) -> Reply {
        let sessions = self.sessions();
        let session = token(asked).and_then(|token| sessions.by_token.get(token));
        Reply::ok(&self.bill(session.map_or(&[], |session| &session.cart)))
    }

    fn put_in_cart(&self, asked: &Asked<'_>) -> Reply {
        let given: Option<Value> = serde_json::from_slice(asked.body).ok();
        let sku = given.as_ref().map(|given| &given["sku"]);
        let sku = sku.and_then(|sku| sku.as_str().map(str::to_owned).or_else(|| sku.as_u64().map(|id| id.to_string())));
        match sku {
            None => Reply::error(StatusCode::BAD_REQUEST, "send JSON with a `sku`"),
            Some(sku) => match self.take_into_cart(asked, &sku) {
                Err((status, why)) => Reply::error(status, why),
                Ok((bill, new)) => {
                    let reply = Reply::json(StatusCode::CREATED, &bill);
                    if let Some(token) = new { reply.with_text(SET_COOKIE, &cookie(&token)) } else { reply }
                }
            },
        }
    }

    /// Puts one piece into the asker's cart; who has no session gets one, and its token is the second value.
    pub fn take_into_cart(
        &self,
        asked: &Asked<'_>,
        sku: &str,
    ) -> Result<(Value, Option<String>), (StatusCode, &'static str)> {
        let id = self.product(sku).ok_or((StatusCode::NOT_FOUND, "no such product"))?.id;
        let known = token(asked).filter(|token| self.sessions().by_token.contains_key(*token)).map(str::to_owned);
        let new = if known.is_none() { Some(self.open_session(None)) } else { None };
        let mut sessions = self.sessions();
        // Between two locks the session may have been the oldest of too many: then the cart is a fresh one.
        let mut fresh = Session::default();
        let held = known.as_deref().or(new.as_deref()).and_then(|token| sessions.by_token.get_mut(token));
        let cart = &mut held.unwrap_or(&mut fresh).cart;
        if let Some((_, pieces)) = cart.iter_mut().find(|(line, _)| *line == id) {
            *pieces = pieces.saturating_add(1);
        } else if cart.len() >= CART_LINES {
            return Err((StatusCode::CONFLICT, "the cart is full"));
        } else {
            cart.push((id, 1));
        }
        Ok((self.bill(cart), new))
    }

    fn checkout(&self, asked: &Asked<'_>) -> Reply {
        let mut sessions = self.sessions();
        let session = token(asked).and_then(|token| sessions.by_token.get_mut(token));
        let Some(session) = session.filter(|session| session.user.is_some()) else {
            let reply = Reply::error(StatusCode::UNAUTHORIZED, "log in first");
            return reply.with_text(http::header::WWW_AUTHENTICATE, "Bearer");
        };
        let cart = std::mem::take(&mut session.cart);
        let user = session.user.clone();
        sessions.orders += 1;
        let order = sessions.orders;
        drop(sessions);
        let mut receipt = self.bill(&cart);
        receipt["order"] = json!(order);
        receipt["user"] = json!(user);
        Reply::json(StatusCode::CREATED, &receipt)
    }

    fn bill(&self, cart: &[(u32, u32)]) -> Value {
        let mut cents = 0u64;
        let mut lines = Vec::with_capacity(cart.len());
        for &(id, pieces) in cart {
            let product = &self.products[id as usize - 1];
            cents += u64::from(product.cents) * u64::from(pieces);
            lines.push(json!({ "sku": id, "name": product.name, "quantity": pieces, "price": product.price() }));
        }
        json!({ "items": lines, "count": cart.len(), "total": cents as f64 / 100.0 })
    }

    /// Opens a session, for `user` or for nobody yet, and gives its token.
    pub fn open_session(&self, user: Option<&str>) -> String {
        let mut sessions = self.sessions();
        sessions.made += 1;
        let number = sessions.made;
        let token = format!("{number:x}-{:016x}", scramble(self.secret ^ number));
        if sessions.oldest_first.len() >= self.capacity
            && let Some(oldest) = sessions.oldest_first.pop_front()
        {
            sessions.by_token.remove(&oldest);
        }
        let session = Session { user: user.map(str::to_owned), cart: Vec::new() };
        sessions.by_token.insert(token.clone(), session);
        sessions.oldest_first.push_back(token.clone());
        token
    }

    /// The user who is logged in, if any.
    pub fn user(&self, asked: &Asked<'_>) -> Option<String> {
        self.sessions().by_token.get(token(asked)?)?.user.clone()
    }

    /// A value for a form's hidden field, different for each page.
    pub fn csrf(&self) -> String {
        let mut sessions = self.sessions();
        sessions.made += 1;
        let number = sessions.made;
        format!("{number:x}.{:016x}", scramble(self.secret ^ !number))
    }

    /// Whether the value came from [`Shop::csrf`].
    pub fn is_csrf(&self, value: &str) -> bool {
        let number = value.split_once('.').and_then(|(number, _)| u64::from_str_radix(number, 16).ok());
        number.is_some_and(|number| value == format!("{number:x}.{:016x}", scramble(self.secret ^ !number)))
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const JSON: &str = "application/json";

/// Whether a user may be called so.
pub fn is_name(user: &str) -> bool {
    (1..=64).contains(&user.chars().count())
}

/// The `Set-Cookie` of a session.
pub fn cookie(token: &str) -> String {
    format!("sid={token}; Path=/; HttpOnly; SameSite=Lax")
}

/// The answer to a path that exists, but not so.
pub fn wrong_method() -> Reply {
    Reply::error(StatusCode::METHOD_NOT_ALLOWED, "this path wants another method")
}

fn token<'a>(asked: &'a Asked<'_>) -> Option<&'a str> {
    let bearer = asked.header(AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    bearer.or_else(|| asked.cookie("sid"))
}

impl Product {
    fn numbered(id: u32) -> Self {
        const QUALITIES: [&str; 10] =
            ["Plain", "Studded", "Velvet", "Torn", "Neon", "Leather", "Silent", "Crooked", "Golden", "Second-hand"];
        const THINGS: [&str; 10] =
            ["Boots", "Guitar", "Amplifier", "Jacket", "Badge", "Poster", "Record", "Drum", "Microphone", "Belt"];
        let index = id as usize - 1;
        let name = format!("{} {}", QUALITIES[index % 10], THINGS[index / 10 % 10]);
        let dice = scramble(u64::from(id));
        let mut product = Self {
            id,
            name,
            cents: 199 + (dice % 20_000) as u32,
            stock: (dice >> 32) as u32 % 500,
            json: Bytes::new(),
        };
        product.json = Bytes::from(product.to_json().to_string());
        product
    }

    /// The price in whole money.
    pub fn price(&self) -> f64 {
        f64::from(self.cents) / 100.0
    }

    fn to_json(&self) -> Value {
        json!({ "id": self.id, "name": self.name, "price": self.price(), "stock": self.stock })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_many_different_and_the_same_every_time() {
        let shop = Shop::new(1, 10);
        let names: std::collections::BTreeSet<&str> = shop.products().iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names.len(), 100);
        insta::assert_snapshot!(String::from_utf8_lossy(&shop.product("42").unwrap().json),
            @r#"{"id":42,"name":"Studded Badge","price":91.61,"stock":219}"#);
        assert!(shop.product("0").is_none() && shop.product("101").is_none() && shop.product("x").is_none());
        assert_eq!(Shop::new(2, 10).catalogue, shop.catalogue);
    }

    #[test]
    fn sessions_are_bounded_and_the_oldest_go_first() {
        let shop = Shop::new(1, 3);
        let tokens: Vec<String> = (0..5).map(|n| shop.open_session(Some(&format!("u{n}")))).collect();
        let sessions = shop.sessions();
        let alive: Vec<bool> = tokens.iter().map(|token| sessions.by_token.contains_key(token)).collect();
        assert_eq!(alive, [false, false, true, true, true]);
        assert_eq!(sessions.oldest_first.len(), 3);
    }

    #[test]
    fn form_secrets_are_known_again_and_others_are_not() {
        let shop = Shop::new(1, 3);
        let value = shop.csrf();
        assert!(shop.is_csrf(&value));
        assert_ne!(value, shop.csrf());
        assert!(!shop.is_csrf("1.0") && !shop.is_csrf("") && !Shop::new(2, 3).is_csrf(&value));
    }
}
