package org.authservice.signin;

import java.time.Clock;
import java.util.Optional;
import org.authservice.audit.SecurityEvent;
import org.authservice.audit.SecurityEvents;
import org.authservice.http.Client;
import org.authservice.ratelimit.ClientAddresses;
import org.authservice.secret.DerivedKeys;
import org.authservice.secret.Hmac;
import org.authservice.secret.Secret;
import org.authservice.secret.Secrets;
import org.authservice.settings.AlarmSettings;

/**
 * What wrong passwords have in common: many accounts tried from one address, or one password tried
 * on many accounts, each an event once an hour. It refuses nothing.
 *
 * <p>A wrong password is often nearly a right one, or the right one of another site. It is kept
 * nowhere: counted is under the first 64 bits of its HMAC, under a key that this process drew when
 * it started and that is never written down, and only in memory.
 */
final class Suspicions {
  private static final int PASSWORD_DIGITS = 16;
  private static final String NOTICED = "noticed";

  private final Spread addresses;
  private final Spread passwords;
  private final Hmac passwordKey;
  private final SecurityEvents events;

  Suspicions(AlarmSettings settings, SecurityEvents events, Clock clock, Secrets secrets) {
    this.addresses = new Spread(settings.accountsPerAddress(), clock);
    this.passwords = new Spread(settings.accountsPerPassword(), clock);
    this.passwordKey = DerivedKeys.of(secrets.bytes(32)).hmac("wrong password");
    this.events = events;
    events.expect(SecurityEvent.Type.MANY_ACCOUNTS_FROM_ONE_ADDRESS, NOTICED);
    events.expect(SecurityEvent.Type.ONE_PASSWORD_ON_MANY_ACCOUNTS, NOTICED);
  }

  /** A password was wrong, for that address's account or for nobody's. */
  void wrongPassword(Directory.Entry entry, Secret password, Client client) {
    String account = entry.key();
    if (addresses.reaches(ClientAddresses.network(client.address()), account)) {
      record(SecurityEvent.Type.MANY_ACCOUNTS_FROM_ONE_ADDRESS, client);
    }
    String same = passwordKey.over(password.reveal()).substring(0, PASSWORD_DIGITS);
    if (passwords.reaches(same, account)) {
      record(SecurityEvent.Type.ONE_PASSWORD_ON_MANY_ACCOUNTS, client);
    }
  }

  private void record(SecurityEvent.Type type, Client client) {
    events.record(SecurityEvent.refused(type, NOTICED, Optional.empty(), client));
  }
}
