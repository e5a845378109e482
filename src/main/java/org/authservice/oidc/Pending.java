package org.authservice.oidc;

import java.time.Clock;
import java.util.List;
import java.util.stream.Stream;
import org.authservice.database.Database;
import org.authservice.database.Transaction;
import org.authservice.operations.Sweep;
import org.authservice.secret.Keyring;
import org.authservice.secret.Secrets;
import org.authservice.signin.Attachment;

/** What of sign-ins by providers waits in the database, and ends with an account's credentials. */
public final class Pending implements Attachment {
  private final Flows flows;
  private final ExchangeCodes codes;

  /** What waits in that database. */
  public Pending(Database database, Keyring keyring, Clock clock, Secrets secrets) {
    this.flows = new Flows(database, keyring, clock, secrets);
    this.codes = new ExchangeCodes(database, keyring, clock, secrets);
  }

  @Override
  public void endAll(Transaction tx, long userId) {
    flows.endAll(tx, userId);
    codes.endAll(tx, userId);
  }

  /** What clean-up may delete. */
  public List<Sweep> sweeps() {
    return Stream.of(flows.sweeps(), codes.sweeps()).flatMap(List::stream).toList();
  }

  Flows flows() {
    return flows;
  }

  ExchangeCodes codes() {
    return codes;
  }
}
