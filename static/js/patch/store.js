// What the phone keeps, in IndexedDB: it outlives the page, the browser and the session.

const NAME = "shaotu-patch";
const STORES = { queue: "id", fixes: ["account", "at"], kept: "key" };
let opened = null;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => {
      for (const [name, keyPath] of Object.entries(STORES)) asked.result.createObjectStore(name, { keyPath });
    };
    asked.onsuccess = () => {
      asked.result.onversionchange = () => { asked.result.close(); opened = null; };
      resolve(asked.result);
    };
    asked.onerror = () => { opened = null; reject(asked.error); };
  });
  return opened;
}

// Done is what is on the disk: the promise waits for the transaction, not for the request.
async function run(name, mode, work) {
  const base = await open();
  return new Promise((resolve, reject) => {
    const transaction = base.transaction(name, mode, { durability: "strict" });
    const asked = work(transaction.objectStore(name));
    transaction.oncomplete = () => resolve(asked?.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

export const put = (name, value) => run(name, "readwrite", (store) => store.put(value));
export const get = (name, key) => run(name, "readonly", (store) => store.get(key));
export const all = (name) => run(name, "readonly", (store) => store.getAll());
export const remove = (name, key) => run(name, "readwrite", (store) => store.delete(key));
export const removeAll = (name, keys) => run(name, "readwrite", (store) => { for (const key of keys) store.delete(key); });

export const keep = (account, what, value) => put("kept", { key: `${account} ${what}`, value });
export const kept = async (account, what) => (await get("kept", `${account} ${what}`))?.value ?? null;
export const drop = (account, what) => remove("kept", `${account} ${what}`);

// Who signs out leaves nothing behind but what still has to be sent.
export async function forget(account) {
  const keys = await run("kept", "readonly", (store) => store.getAllKeys());
  await removeAll("kept", keys.filter((key) => key.startsWith(`${account} `)));
}
