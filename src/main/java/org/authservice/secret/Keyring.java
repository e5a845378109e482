package org.authservice.secret;

import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The secret keys of this node: the one that signs and encrypts, then those that only verify and
 * decrypt ({@code SECRET_KEY_PREVIOUS}). A distrusted key goes on decrypting what it encrypted, but
 * what it signed is no longer believed.
 *
 * <p>What must not change with the key, by which rows are found again, is derived from the
 * installation's lookup root instead: it was derived from the first key ever used and is kept in
 * the database, encrypted.
 */
public final class Keyring {
  private static final String ROOT_CONTEXT = "lookup root";

  private final List<Key> keys;
  private final Sealer rootSealer;
  private volatile @Nullable DerivedKeys lookupRoot;
  private volatile boolean lookupRootLost;
  private volatile Trust trust;

  /**
   * One of the keys.
   *
   * @param id names it without telling anything of it
   * @param secret the key as it was set
   * @param derived what is derived from it in this installation
   */
  public record Key(String id, Secret secret, DerivedKeys derived) {}

  /** Seen as one: whoever knows the newest distrust does not believe the keys of before. */
  private record Trust(Set<String> distrusted, List<Key> trusted) {}

  /** The keys as they are set, in an installation with that salt. */
  public Keyring(Secret current, List<Secret> previous, byte[] salt, Secrets secrets) {
    List<Key> all = new ArrayList<>(List.of(key(current, salt)));
    previous.stream()
        .filter(other -> !other.equals(current))
        .forEach(other -> all.add(key(other, salt)));
    this.keys = List.copyOf(all);
    this.trust = new Trust(Set.of(), keys);
    this.rootSealer = sealer(ROOT_CONTEXT, secrets);
  }

  /** The key that signs and encrypts. */
  public Key current() {
    return keys.getFirst();
  }

  /** All keys, the current first. */
  public List<Key> all() {
    return keys;
  }

  /** The key of that id. */
  public Optional<Key> find(String id) {
    return keys.stream().filter(key -> key.id().equals(id)).findFirst();
  }

  /** The keys whose signatures are believed, the current first. */
  public List<Key> trusted() {
    return trust.trusted;
  }

  /** Whether what that key signed is believed. */
  public boolean trusts(Key key) {
    return !trust.distrusted.contains(key.id());
  }

  /** Believes nothing that these keys signed; replaces what was said before. */
  public void distrust(Set<String> ids) {
    if (!ids.equals(trust.distrusted)) {
      trust =
          new Trust(Set.copyOf(ids), keys.stream().filter(key -> !ids.contains(key.id())).toList());
    }
  }

  /** The ids of the keys whose signatures are not believed; another set only when they change. */
  public Set<String> distrusted() {
    return trust.distrusted;
  }

  /** Signatures for that use: made under the current key, checked under any trusted one. */
  public Signatures signatures(String use) {
    return new Signatures(
        this, keys.stream().map(key -> new Signatures.Use(key, key.derived().hmac(use))).toList());
  }

  /** Authenticated encryption for that use: under the current key, opened by any. */
  public Sealer sealer(String use, Secrets secrets) {
    return new Sealer(keys.stream().map(key -> key.derived().key(use)).toList(), secrets);
  }

  /** Codes for that use by which rows are found: the same whatever the current key is. */
  public Hmac lookup(String use) {
    DerivedKeys root = lookupRoot;
    if (root == null) {
      throw new IllegalStateException("no lookup root has been opened");
    }
    return root.hmac(use);
  }

  /** The lookup root of an installation that has none yet, to be kept. */
  public byte[] newLookupRoot() {
    return rootSealer.seal(current().derived().root(), ROOT_CONTEXT);
  }

  /**
   * Goes on with the root that was kept; false when no key here opens it. Then nothing will be
   * found, and nothing may be asked, until the node starts again with other keys: whoever looks up
   * may have taken the wrong root already.
   */
  public boolean openLookupRoot(byte[] kept) {
    try {
      DerivedKeys root = DerivedKeys.of(rootSealer.open(kept, ROOT_CONTEXT));
      if (!lookupRootLost) {
        lookupRoot = root;
      }
    } catch (GeneralSecurityException sealedUnderAnother) {
      if (lookupRoot == null) {
        lookupRoot = current().derived();
        lookupRootLost = true;
      }
      return false;
    }
    return !lookupRootLost;
  }

  /** Whether the kept root could not be opened when this node started. */
  public boolean lookupRootLost() {
    return lookupRootLost;
  }

  /** The kept root under the current key; empty when it is already. */
  public Optional<byte[]> resealed(byte[] kept) {
    return rootSealer.resealed(kept, ROOT_CONTEXT);
  }

  private static Key key(Secret secret, byte[] salt) {
    // The id is a MAC, not a digest that could be searched; it is the same in every installation.
    String id = DerivedKeys.extract(secret, new byte[0]).hmac("key id").over("").substring(0, 16);
    return new Key(id, secret, DerivedKeys.extract(secret, salt));
  }
}
