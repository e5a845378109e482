package org.authservice.signin;

import java.util.Optional;
import org.authservice.account.Account;
import org.authservice.account.Accounts;
import org.authservice.account.EmailAddress;
import org.authservice.account.PendingRegistration;
import org.authservice.account.PendingRegistrations;
import org.authservice.http.Client;
import org.authservice.otp.Addressee;
import org.authservice.otp.Otps;
import org.authservice.otp.Purpose;
import org.authservice.ratelimit.Devices;

/** Looks up who is behind an address, and whether a known device of theirs is asking. */
final class Directory {
  private final Accounts accounts;
  private final PendingRegistrations pendings;
  private final Otps otps;
  private final Devices devices;

  Directory(Accounts accounts, PendingRegistrations pendings, Otps otps, Devices devices) {
    this.accounts = accounts;
    this.pendings = pendings;
    this.otps = otps;
    this.devices = devices;
  }

  /**
   * What is known of an address.
   *
   * @param key the HMAC of the account's address, or of the one given when nobody has it: the same
   *     for all spellings of one account's address
   * @param deviceId the known device of this account that sent the request
   */
  record Entry(String key, Optional<Account> account, Optional<String> deviceId) {

    /** What failed passwords are counted under: strangers cannot use up a known device's own. */
    String throttleSubject() {
      return deviceId.map(id -> key + ":" + id).orElse(key);
    }

    Optional<Long> userId() {
      return account.map(Account::id);
    }
  }

  Entry look(EmailAddress email, Client client) {
    Optional<Account> account = accounts.find(email);
    String key = otps.addressKey(account.map(Account::email).orElse(email.normalised()));
    // Looked up for every address, so that all cost the same.
    Optional<Devices.KnownDevice> device = devices.recognise(client);
    return new Entry(key, account, account.flatMap(it -> ownDevice(it, device)));
  }

  Entry entry(Account account, Client client) {
    return new Entry(
        otps.addressKey(account.email()),
        Optional.of(account),
        ownDevice(account, devices.recognise(client)));
  }

  /** Who gets a code of that purpose when somebody asks for one. */
  Addressee addressee(Entry entry, Purpose purpose) {
    // Looked up for every address, so that all cost the same, but for the one purpose it has.
    Optional<PendingRegistration> pending =
        purpose == Purpose.VERIFICATION ? pendings.newest(entry.key()) : Optional.empty();
    Optional<Account> account = entry.account();
    if (account.isPresent()) {
      return account.get().active()
          ? Addressee.account(entry.key(), account.get().email(), account.get().id())
          : Addressee.nobody(entry.key());
    }
    return pending
        .map(it -> Addressee.pending(entry.key(), it.email(), it.id()))
        .orElseGet(() -> Addressee.nobody(entry.key()));
  }

  private static Optional<String> ownDevice(Account account, Optional<Devices.KnownDevice> device) {
    return device.filter(it -> it.userId() == account.id()).map(Devices.KnownDevice::deviceId);
  }
}
