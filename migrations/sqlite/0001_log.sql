-- Everything one data directory keeps: trees with their leaves, tiles and published checkpoints, the search index,
-- attestations, and small cells for the other services.
--
-- leaf, tile and what hangs on them share one way of naming a row: the number of its tree in the high bits and its
-- place in that tree in the low 40. So each tree lies in order in one run of the table, without a second index, and
-- every id stays below 2^53, where JavaScript still counts exactly.

create table tree (
  tree_key     integer primary key check (tree_key between 1 and 8191), -- high bits of leaf_id and tile_id
  tree_id      text not null unique,      -- positive int63 in decimal: text, because it exceeds safe integers
  log          text not null check (log in ('rekor', 'ct')), -- the service that owns it
  position     integer not null check (position >= 0),       -- 0-based order among the trees of the same log
  leaf_offset  integer not null check (leaf_offset >= 0),    -- leaves in all earlier trees of the log
  origin       text not null,             -- first line of its checkpoints
  public_key   blob not null,             -- SubjectPublicKeyInfo DER of the key that signs for it
  key_name     text not null,             -- file name of the private key in the key folder
  created_time integer not null,          -- seconds since the epoch
  state        text not null check (state in ('active', 'frozen')),
  tree_size    integer not null check (tree_size >= 0),      -- committed head: in leaves
  root_hash    blob not null check (length(root_hash) = 32), -- committed head: RFC 6962 root
  unique (log, position)
) strict;

-- At most one tree of a log grows.
create unique index active_tree on tree (log) where state = 'active';

-- Bytes kept beside the log because a leaf holds only their hash. Leaves may share one.
create table attestation (
  attestation_id  integer primary key,
  attestation_key text not null unique,   -- 'sha256:' and the hex SHA-256 of the value
  value           blob not null
) strict;

-- Rows are only ever added. The value comes last, so that the short columns never sit behind its overflow pages.
create table leaf (
  leaf_id         integer primary key,    -- tree_key * 2^40 + leaf_index; leaf_index is 0-based in this tree
  tree_key        integer not null references tree (tree_key)
                  generated always as (leaf_id / 1099511627776) virtual,
  leaf_hash       blob not null check (length(leaf_hash) = 32), -- SHA-256(0x00 || leaf_value)
  integrated_time integer not null,       -- seconds since the epoch; never decreases within a tree
  search_digest   blob not null check (length(search_digest) = 8), -- XOR of the halves of its search_key.key_hash
  attestation_id  integer references attestation (attestation_id), -- what it brought along, if that was kept
  leaf_value      blob not null           -- canonical bytes, exactly as hashed
) strict;

-- One leaf once per tree; and how a leaf is found by its hash.
create unique index leaf_by_hash on leaf (leaf_hash, tree_key);

-- The promise (SET, SCT) made for a leaf: stored with the checkpoint that first commits to the leaf, never changed.
create table inclusion_promise (
  leaf_id integer primary key references leaf (leaf_id),
  promise blob not null                   -- raw signature bytes
) strict;

-- Search index. Only whole keys are ever looked up, so a hash of the key does: a third of the space, and rows of one
-- size. Two keys with the same 16 bytes would at worst yield a hit too many.
create table search_key (
  key_hash blob not null check (length(key_hash) = 16), -- first 16 bytes of SHA-256 of the lower-cased key
  leaf_id  integer not null references leaf (leaf_id),
  primary key (key_hash, leaf_id)
) strict, without rowid;

-- Hashes by the C2SP tlog-tiles layout. A tile at the right edge is rewritten as it grows; a full one never again.
create table tile (
  tile_id  integer primary key,           -- tree_key * 2^40 + level * 2^32 + tile_index
  tree_key integer not null references tree (tree_key)
           generated always as (tile_id / 1099511627776) virtual,
  hashes   blob not null check (length(hashes) between 32 and 8192 and length(hashes) % 32 = 0)
) strict;

-- Every checkpoint ever published; rows are only ever added. The largest size is the one being served.
create table checkpoint (
  tree_key  integer not null references tree (tree_key),
  tree_size integer not null check (tree_size >= 0),      -- in leaves
  root_hash blob not null check (length(root_hash) = 32), -- as the note says
  note      text not null,                -- the signed note, exactly as served
  primary key (tree_key, tree_size)
) strict, without rowid;

-- Small durable cells: witness state per origin, monitor position, TUF versions.
create table register (
  register_key text primary key not null,
  value        blob not null
) strict;
