//! Scripts, good and bad, from the outside: what `punk` says, how it exits, what the target saw.

mod smoke;
