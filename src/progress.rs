//! stub
use crate::{metrics::Snapshot, plan::Plan};
pub struct Progress;
impl Progress { pub fn none()->Self{Progress} pub fn plain(_:&Plan)->Self{Progress} pub fn bars(_:&Plan,_:bool)->Self{Progress} pub fn show(&mut self,s:&Snapshot){ for p in &s.prints { crate::cli::err(&format!("{p}\n")); } } pub fn say(&mut self,_:&str){} pub fn pause(&mut self,f: impl FnOnce()){f()} pub fn finish(&mut self){} }
