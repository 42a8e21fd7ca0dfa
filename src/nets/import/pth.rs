//! torch's `.pth`: since torch 1.6 a zip archive of a pickle, `NAME/data.pkl`, and of storages, `NAME/data/0 …`, all
//! stored uncompressed. <https://docs.pytorch.org/docs/stable/notes/serialization.html>
//!
//! In the pickle a tensor is a call of `torch._utils._rebuild_tensor_v2(storage, offset, size, stride, …)`, where the
//! storage is the persistent id `("storage", torch.FloatStorage, key, device, length)`.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::rc::Rc;

use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::header::{count, known_as};
use super::pickle::{Kind, Node, Pickle, Value};
use super::{Array, Dtype, Entry, Header, ImportError, Weights};

/// A longer pickle is not a network's: a ResNet152's has 130 kB.
const MOST_PICKLE: u64 = 16 << 20;

/// Keys under which checkpoints hold the weights beside other things, the usual first.
const WEIGHTS_IN: [&str; 5] = ["state_dict", "model_state_dict", "model", "net", "weights"];

/// Names and shapes.
pub fn header(bytes: &[u8]) -> Result<Header, ImportError> {
    let (_, tensors) = Archive::open(bytes)?.tensors()?;
    let tensors = tensors.into_iter().map(|(name, tensor)| (name, tensor.entry)).collect();
    Ok(Header { tensors, ..Default::default() })
}

/// The whole file.
pub fn weights(bytes: &[u8]) -> Result<Weights, ImportError> {
    let mut archive = Archive::open(bytes)?;
    let (folder, tensors) = archive.tensors()?;
    if archive.read(&format!("{folder}byteorder")).is_ok_and(|order| order == b"big") {
        return Err(ImportError::Damaged("its numbers are big-endian".into()));
    }
    // Tensors may share a storage, but no network's share more than a few.
    let mut storages: BTreeMap<&str, Vec<f32>> = BTreeMap::new();
    let mut read = BTreeMap::new();
    for (name, tensor) in &tensors {
        if !storages.contains_key(&*tensor.storage) {
            let bytes = archive.read(&format!("{folder}data/{}", tensor.storage))?;
            storages.insert(&tensor.storage, tensor.entry.dtype.decode(&bytes));
        }
        let storage = storages.get(&*tensor.storage).map_or(&[][..], Vec::as_slice);
        let data = tensor.gather(storage).ok_or_else(|| damaged(format!("`{name}` lies outside of its storage")))?;
        read.insert(name.clone(), Array { shape: tensor.entry.shape.clone(), data });
    }
    Ok(Weights { tensors: read, ..Default::default() })
}

fn damaged(what: impl Into<String>) -> ImportError {
    ImportError::Damaged(what.into())
}

struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    length: u64,
}

impl<'a> Archive<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, ImportError> {
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| match error {
            ZipError::Io(error) => ImportError::Io(error),
            error => damaged(format!("its zip directory, which stands at the end, can't be read ({error})")),
        })?;
        Ok(Self { zip, length: bytes.len() as u64 })
    }

    fn read(&mut self, name: &str) -> Result<Vec<u8>, ImportError> {
        let mut file =
            self.zip.by_name(name).map_err(|error| damaged(format!("`{name}` in it can't be read ({error})")))?;
        if file.compression() != CompressionMethod::Stored || file.size() > self.length {
            return Err(damaged(format!("`{name}` in it is compressed, which `torch.save` never does")));
        }
        let mut bytes = Vec::with_capacity(file.size() as usize);
        file.read_to_end(&mut bytes).map_err(|error| damaged(format!("`{name}` in it can't be read ({error})")))?;
        Ok(bytes)
    }

    /// The archive's folder, with its slash, and the tensors of the state dictionary.
    fn tensors(&mut self) -> Result<(String, BTreeMap<String, Stored>), ImportError> {
        let names: Vec<String> = self.zip.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
        let name = names.iter().find(|name| *name == "data.pkl" || name.ends_with("/data.pkl"));
        let name = name.cloned().ok_or(ImportError::Unknown)?;
        let folder = name.trim_end_matches("data.pkl").to_string();
        if names.iter().any(|name| name.strip_prefix(&*folder).is_some_and(|rest| rest.starts_with("code/"))) {
            return Err(ImportError::Script);
        }
        if self.zip.by_name(&name).is_ok_and(|file| file.size() > MOST_PICKLE) {
            return Err(damaged("its pickle is too long"));
        }
        let pickle = Pickle::read(&self.read(&name)?)?;
        Ok((folder, state(&pickle)?))
    }
}

/// Where a tensor lies.
struct Stored {
    entry: Entry,
    /// The storage's name.
    storage: Rc<str>,
    /// In numbers, as are the strides.
    offset: usize,
    strides: Vec<usize>,
}

impl Stored {
    /// Its numbers in order, the last dimension fastest; `None` where it reaches beyond the storage.
    fn gather(&self, storage: &[f32]) -> Option<Vec<f32>> {
        let shape = &self.entry.shape;
        let numbers = count(shape)?;
        if numbers == 0 {
            return Some(vec![]);
        }
        // Strides of 0 could make much out of little; no weight is such an expanded view.
        if numbers > storage.len() {
            return None;
        }
        let mut last = self.offset;
        for (&side, &stride) in shape.iter().zip(&self.strides) {
            last = last.checked_add((side - 1).checked_mul(stride)?)?;
        }
        if last >= storage.len() {
            return None;
        }
        let mut data = Vec::with_capacity(numbers);
        let mut index = vec![0; shape.len()];
        for _ in 0..numbers {
            let at = index.iter().zip(&self.strides).fold(self.offset, |at, (i, stride)| at + i * stride);
            data.push(*storage.get(at)?);
            for (i, side) in index.iter_mut().zip(shape).rev() {
                *i += 1;
                if *i < *side {
                    break;
                }
                *i = 0;
            }
        }
        Some(data)
    }
}

/// The dictionary's items, where it is one: a `dict`, or the call that makes an `OrderedDict`.
fn items<'a>(pickle: &'a Pickle, value: &Value) -> Option<&'a [(Value, Value)]> {
    let node = pickle.node(value)?;
    let ordered = || matches!(node.members.first(), Some(Value::Global(module, name)) if &**module == "collections" && &**name == "OrderedDict");
    (node.kind == Kind::Dict || node.kind == Kind::Call && ordered()).then_some(node.items.as_slice())
}

/// The function and the arguments of a call.
fn call<'a>(pickle: &'a Pickle, value: &Value) -> Option<(&'a Value, &'a [Value])> {
    let node: &Node = pickle.node(value).filter(|node| node.kind == Kind::Call)?;
    match node.members.as_slice() {
        [function, arguments] => Some((function, pickle.members(arguments)?)),
        _ => None,
    }
}

/// The tensors of the state dictionary, which may stand inside of a checkpoint.
fn state(pickle: &Pickle) -> Result<BTreeMap<String, Stored>, ImportError> {
    let root = items(pickle, &pickle.root)
        .ok_or_else(|| damaged("it holds an object of Python, not weights: save `model.state_dict()`"))?;
    let inner = |key: &str| root.iter().find(|(k, _)| matches!(k, Value::Text(text) if &**text == key));
    let has_tensors = root.iter().any(|(_, value)| is_tensor(pickle, value));
    let state = match WEIGHTS_IN.iter().find_map(|key| items(pickle, &inner(key)?.1)) {
        Some(inner) if !has_tensors => inner,
        _ => root,
    };
    let mut tensors = BTreeMap::new();
    for (key, value) in state {
        let Value::Text(key) = key else { continue };
        let Some(name) = known_as(key).filter(|_| is_tensor(pickle, value)) else { continue };
        if tensors.insert(name.to_string(), tensor(pickle, &name, value)?).is_some() {
            return Err(damaged(format!("`{name}` is there twice")));
        }
    }
    Ok(tensors)
}

/// The arguments of the call that makes a tensor, `Parameter` unwrapped.
fn rebuild<'a>(pickle: &'a Pickle, value: &Value) -> Option<&'a [Value]> {
    let is = |function: &Value, name: &str| matches!(function, Value::Global(m, n) if &**m == "torch._utils" && &**n == name);
    let (mut function, mut arguments) = call(pickle, value)?;
    if is(function, "_rebuild_parameter") {
        (function, arguments) = call(pickle, arguments.first()?)?;
    }
    is(function, "_rebuild_tensor_v2").then_some(arguments)
}

fn is_tensor(pickle: &Pickle, value: &Value) -> bool {
    rebuild(pickle, value).is_some()
}

fn tensor(pickle: &Pickle, name: &str, value: &Value) -> Result<Stored, ImportError> {
    let wrong = || damaged(format!("`{name}` is described wrongly"));
    let Some([storage, Value::Int(offset), size, stride, ..]) = rebuild(pickle, value) else { return Err(wrong()) };
    let id = pickle.node(storage).filter(|node| node.kind == Kind::Persistent).and_then(|node| node.members.first());
    let id = id.and_then(|id| pickle.members(id)).ok_or_else(wrong)?;
    let [Value::Text(_), Value::Global(_, kind), Value::Text(storage), ..] = id else { return Err(wrong()) };
    let dtype = match &**kind {
        "FloatStorage" => Dtype::F32,
        "HalfStorage" => Dtype::F16,
        "BFloat16Storage" => Dtype::BF16,
        other => {
            let dtype = other.trim_end_matches("Storage").to_lowercase();
            return Err(ImportError::Numbers { tensor: name.into(), dtype });
        }
    };
    let whole = |value: &Value| match value {
        Value::Int(n) => usize::try_from(*n).ok(),
        _ => None,
    };
    let sizes = |value: &Value| pickle.members(value)?.iter().map(whole).collect::<Option<Vec<usize>>>();
    let (shape, strides) = sizes(size).zip(sizes(stride)).filter(|(a, b)| a.len() == b.len()).ok_or_else(wrong)?;
    count(&shape).ok_or_else(|| damaged(format!("`{name}` is impossibly large")))?;
    let offset = usize::try_from(*offset).map_err(|_| wrong())?;
    Ok(Stored { entry: Entry { shape, dtype }, storage: storage.clone(), offset, strides })
}
