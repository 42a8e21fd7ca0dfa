//! Takes a pickle apart without executing it.
//!
//! A pickle is a program for a stack machine that makes objects by calling functions of Python by name. Here the calls
//! are only written down ([`Node::Call`]); [`super::pth`] knows the few that mean a tensor. The opcodes are those of
//! protocols 2 to 4, which `torch.save` writes (Lib/pickletools.py describes them). Values refer to nodes by number, so
//! neither depth nor cycles can make anything recurse.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::ImportError;

/// More opcodes than the pickle of any network: a ResNet152's has some 60,000.
const MOST_OPCODES: usize = 1 << 22;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// None, a float, bytes: nothing that matters here.
    Other,
    /// A whole number that fits.
    Int(i64),
    /// A string.
    Text(Rc<str>),
    /// A function or class of Python: module, name.
    Global(Rc<str>, Rc<str>),
    /// A node by its number.
    Node(usize),
}

/// What is made of other values.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Members of a tuple or list; for a call the function and its arguments, for a persistent id that id.
    pub members: Vec<Value>,
    /// Items of a dictionary or of an object that is one.
    pub items: Vec<(Value, Value)>,
}

/// The kinds of nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Tuple, list or set.
    #[default]
    List,
    /// Dictionary.
    Dict,
    /// What a function of Python would give.
    Call,
    /// Something that lies outside of the pickle: for torch, a storage.
    Persistent,
}

/// A pickle taken apart.
pub struct Pickle {
    nodes: Vec<Node>,
    /// The object that was pickled.
    pub root: Value,
}

impl Pickle {
    /// Takes it apart.
    ///
    /// # Errors
    /// It is not a pickle, or uses what `torch.save` never does.
    pub fn read(bytes: &[u8]) -> Result<Self, ImportError> {
        Machine { bytes, at: 0, stack: vec![], marks: vec![], memo: BTreeMap::new(), nodes: vec![] }.run()
    }

    /// A node.
    pub fn node(&self, value: &Value) -> Option<&Node> {
        match value {
            Value::Node(number) => self.nodes.get(*number),
            _ => None,
        }
    }

    /// The members of a tuple or list.
    pub fn members(&self, value: &Value) -> Option<&[Value]> {
        self.node(value).filter(|node| node.kind == Kind::List).map(|node| node.members.as_slice())
    }
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: BTreeMap<u32, Value>,
    nodes: Vec<Node>,
}

fn damaged(what: &str) -> ImportError {
    ImportError::Damaged(format!("its pickle {what}"))
}

impl Machine<'_> {
    fn run(mut self) -> Result<Pickle, ImportError> {
        for _ in 0..MOST_OPCODES {
            let opcode = self.take::<1>()?[0];
            if opcode == b'.' {
                let root = self.pop()?;
                return Ok(Pickle { nodes: self.nodes, root });
            }
            self.step(opcode)?;
        }
        Err(damaged("is too long"))
    }

    fn step(&mut self, opcode: u8) -> Result<(), ImportError> {
        match opcode {
            // PROTO, FRAME
            0x80 => drop(self.take::<1>()?),
            0x95 => drop(self.take::<8>()?),
            // NONE, NEWTRUE, NEWFALSE, BINFLOAT
            b'N' | 0x88 | 0x89 => self.stack.push(Value::Other),
            b'G' => {
                self.take::<8>()?;
                self.stack.push(Value::Other);
            }
            // BININT, BININT1, BININT2, LONG1
            b'J' => {
                let n = i32::from_le_bytes(self.take()?);
                self.stack.push(Value::Int(n.into()));
            }
            b'K' => {
                let [n] = self.take()?;
                self.stack.push(Value::Int(n.into()));
            }
            b'M' => {
                let n = u16::from_le_bytes(self.take()?);
                self.stack.push(Value::Int(n.into()));
            }
            0x8a => self.long()?,
            // BINUNICODE, SHORT_BINUNICODE, BINUNICODE8
            b'X' => self.text::<4>()?,
            0x8c => self.text::<1>()?,
            0x8d => self.text::<8>()?,
            // BINBYTES, SHORT_BINBYTES, BINSTRING, SHORT_BINSTRING
            b'B' | b'T' => self.skip::<4>()?,
            b'C' | b'U' => self.skip::<1>()?,
            // GLOBAL, STACK_GLOBAL
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.stack.push(Value::Global(module, name));
            }
            0x93 => match (self.pop()?, self.pop()?) {
                (Value::Text(name), Value::Text(module)) => self.stack.push(Value::Global(module, name)),
                _ => return Err(damaged("names a function by something that is not text")),
            },
            // MARK, POP, POP_MARK
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.since_mark()?),
            // EMPTY_TUPLE, TUPLE, TUPLE1..3, EMPTY_LIST, LIST, EMPTY_SET, FROZENSET
            b')' | b']' | 0x8f => self.make(Kind::List, vec![]),
            b't' | b'l' | 0x91 => {
                let members = self.since_mark()?;
                self.make(Kind::List, members);
            }
            0x85..=0x87 => {
                let start =
                    self.stack.len().checked_sub(usize::from(opcode - 0x84)).ok_or_else(|| damaged("lacks a value"))?;
                let members = self.stack.split_off(start);
                self.make(Kind::List, members);
            }
            b'}' => self.make(Kind::Dict, vec![]),
            // APPEND, APPENDS, ADDITEMS
            b'a' => {
                let member = self.pop()?;
                self.top()?.members.push(member);
            }
            b'e' | 0x90 => {
                let members = self.since_mark()?;
                self.top()?.members.extend(members);
            }
            // SETITEM, SETITEMS
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.top()?.items.push((key, value));
            }
            b'u' => {
                let mut members = self.since_mark()?.into_iter();
                let top = self.top()?;
                while let (Some(key), Some(value)) = (members.next(), members.next()) {
                    top.items.push((key, value));
                }
            }
            // REDUCE, NEWOBJ; BUILD sets attributes, which don't matter
            b'R' | 0x81 => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                self.make(Kind::Call, vec![function, arguments]);
            }
            b'b' => drop(self.pop()?),
            // BINPERSID
            b'Q' => {
                let id = self.pop()?;
                self.make(Kind::Persistent, vec![id]);
            }
            // BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET
            b'q' => {
                let [key] = self.take()?;
                self.put(key.into())?;
            }
            b'r' => {
                let key = u32::from_le_bytes(self.take()?);
                self.put(key)?;
            }
            0x94 => self.put(self.memo.len() as u32)?,
            b'h' => {
                let [key] = self.take()?;
                self.get(key.into())?;
            }
            b'j' => {
                let key = u32::from_le_bytes(self.take()?);
                self.get(key)?;
            }
            _ => return Err(damaged(&format!("uses opcode {opcode:#04x}, which `torch.save` does not"))),
        }
        Ok(())
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], ImportError> {
        let bytes = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<N>());
        self.at += N;
        bytes.copied().ok_or_else(|| damaged("is cut off"))
    }

    /// As many bytes as a length of N bytes before them says.
    fn counted<const N: usize>(&mut self) -> Result<&[u8], ImportError> {
        let mut length = [0; 8];
        length[..N].copy_from_slice(&self.take::<N>()?);
        let end = usize::try_from(u64::from_le_bytes(length)).ok().and_then(|length| self.at.checked_add(length));
        let found = end.and_then(|end| self.bytes.get(self.at..end)).ok_or_else(|| damaged("is cut off"))?;
        self.at += found.len();
        Ok(found)
    }

    fn text<const N: usize>(&mut self) -> Result<(), ImportError> {
        let text =
            std::str::from_utf8(self.counted::<N>()?).map_err(|_| damaged("holds text that is not UTF-8"))?.into();
        self.stack.push(Value::Text(text));
        Ok(())
    }

    fn skip<const N: usize>(&mut self) -> Result<(), ImportError> {
        self.counted::<N>()?;
        self.stack.push(Value::Other);
        Ok(())
    }

    /// Little-endian two's complement; what does not fit 64 bits is of no use here.
    fn long(&mut self) -> Result<(), ImportError> {
        let bytes = self.counted::<1>()?;
        let value = if bytes.len() > 8 {
            Value::Other
        } else {
            let negative = bytes.last().is_some_and(|&byte| byte >= 0x80);
            let mut whole = [if negative { 0xff } else { 0 }; 8];
            whole[..bytes.len()].copy_from_slice(bytes);
            Value::Int(i64::from_le_bytes(whole))
        };
        self.stack.push(value);
        Ok(())
    }

    fn line(&mut self) -> Result<Rc<str>, ImportError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|&byte| byte == b'\n').ok_or_else(|| damaged("is cut off"))?;
        self.at += end + 1;
        Ok(std::str::from_utf8(&rest[..end]).map_err(|_| damaged("holds text that is not UTF-8"))?.into())
    }

    fn pop(&mut self) -> Result<Value, ImportError> {
        self.stack.pop().ok_or_else(|| damaged("lacks a value"))
    }

    fn since_mark(&mut self) -> Result<Vec<Value>, ImportError> {
        match self.marks.pop() {
            Some(mark) if mark <= self.stack.len() => Ok(self.stack.split_off(mark)),
            _ => Err(damaged("lacks a mark")),
        }
    }

    fn make(&mut self, kind: Kind, members: Vec<Value>) {
        self.stack.push(Value::Node(self.nodes.len()));
        self.nodes.push(Node { kind, members, items: vec![] });
    }

    /// The node that the topmost value names.
    fn top(&mut self) -> Result<&mut Node, ImportError> {
        match self.stack.last() {
            Some(&Value::Node(number)) => self.nodes.get_mut(number),
            _ => None,
        }
        .ok_or_else(|| damaged("adds to something that holds nothing"))
    }

    fn put(&mut self, key: u32) -> Result<(), ImportError> {
        let value = self.stack.last().cloned().ok_or_else(|| damaged("lacks a value"))?;
        self.memo.insert(key, value);
        Ok(())
    }

    fn get(&mut self, key: u32) -> Result<(), ImportError> {
        let value = self.memo.get(&key).cloned().ok_or_else(|| damaged("recalls what it never stored"))?;
        self.stack.push(value);
        Ok(())
    }
}
