package org.authservice.signin;

import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.authservice.account.Accounts;
import org.authservice.account.PendingRegistrations;
import org.authservice.audit.SecurityEvents;
import org.authservice.database.Database;
import org.authservice.http.Principal;
import org.authservice.http.Route;
import org.authservice.mail.Outbox;
import org.authservice.operations.Sweep;
import org.authservice.otp.Otps;
import org.authservice.password.PasswordHasher;
import org.authservice.password.PasswordPolicy;
import org.authservice.ratelimit.Devices;
import org.authservice.ratelimit.LoginThrottle;
import org.authservice.secret.Keyring;
import org.authservice.secret.Secrets;
import org.authservice.session.PythonSessions;
import org.authservice.session.SessionOverview;
import org.authservice.session.Sessions;
import org.authservice.settings.AlarmSettings;
import org.authservice.settings.CodeSettings;
import org.authservice.settings.RegistrationSettings;
import org.authservice.token.LegacyTokens;

/** The use cases of this package, wired to each other: what the composition root needs of them. */
public final class Signins {
  private final List<Route> routes = new ArrayList<>();
  private final AccountAdministration administration;
  private final Leaving leaving;
  private final MailboxProof proof;
  private final List<Sweep> sweeps;

  /** Everything the use cases stand on. */
  public record Parts(
      Database database,
      RegistrationSettings registration,
      AlarmSettings alarms,
      CodeSettings codes,
      PasswordPolicy policy,
      PasswordHasher hasher,
      Accounts accounts,
      PendingRegistrations pendings,
      Devices devices,
      LoginThrottle throttle,
      Otps otps,
      Outbox outbox,
      SecurityEvents events,
      Sessions sessions,
      PythonSessions pythonSessions,
      SessionOverview sessionOverview,
      LegacyTokens legacyTokens,
      Function<String, Optional<Principal>> bearer,
      List<Attachment> attachments,
      Keyring keyring,
      Clock clock,
      Secrets secrets) {}

  /** The use cases over those parts. */
  public Signins(Parts it) {
    var directory = new Directory(it.accounts, it.pendings, it.otps, it.devices);
    var revocation = new AccountRevocation(it.sessions, it.devices, it.otps, it.attachments);
    proof =
        new MailboxProof(it.accounts, it.otps, revocation, it.events, it.legacyTokens, it.clock);
    var checks =
        new PasswordChecks(it.database, it.hasher, it.accounts, it.throttle, it.outbox, it.clock);
    var login =
        new PasswordLogin(
            it.database,
            it.registration,
            directory,
            checks,
            new Suspicions(it.alarms, it.events, it.clock, it.secrets),
            it.hasher,
            it.accounts,
            it.otps,
            it.sessions,
            it.events);
    var resets =
        new PasswordResets(
            it.database,
            it.policy,
            it.hasher,
            it.accounts,
            revocation,
            proof,
            it.throttle,
            it.otps,
            it.outbox,
            it.events,
            it.keyring,
            it.clock,
            it.secrets);
    sweeps =
        Stream.of(resets.sweeps(), it.pendings.sweeps(), it.throttle.sweeps())
            .flatMap(List::stream)
            .toList();
    var codeSignin =
        new CodeSignin(
            it.database,
            directory,
            it.otps,
            it.accounts,
            it.pendings,
            proof,
            it.sessions,
            resets,
            it.throttle,
            it.events);
    var changes =
        new PasswordChanges(
            it.database,
            it.policy,
            it.hasher,
            it.accounts,
            directory,
            checks,
            revocation,
            it.outbox,
            it.events,
            it.clock);
    var registering =
        new Registering(
            it.database,
            it.registration.privacy(),
            it.policy,
            it.hasher,
            it.accounts,
            it.pendings,
            directory,
            it.devices,
            it.otps,
            it.outbox,
            it.events,
            it.secrets);
    var requests = new CodeRequests(directory, it.otps, it.outbox, it.events);
    leaving = new Leaving(it.database, it.accounts, it.sessions, it.pythonSessions, revocation);
    routes.addAll(new RegistrationRoutes(registering).routes());
    routes.addAll(
        new SigninRoutes(login, requests, codeSignin, leaving, it.codes, it.bearer).routes());
    routes.addAll(new PasswordRoutes(resets, changes).routes());
    var erasure =
        new AccountErasure(
            it.database, it.accounts, it.sessions, revocation, it.otps, it.outbox, it.events);
    routes.addAll(new AccountRoutes(erasure).routes());
    administration =
        new AccountAdministration(
            it.database,
            it.policy,
            it.hasher,
            it.accounts,
            revocation,
            erasure,
            it.sessionOverview,
            it.events);
  }

  /** The endpoints. */
  public List<Route> routes() {
    return List.copyOf(routes);
  }

  /** Logging out. */
  public Leaving leaving() {
    return leaving;
  }

  /** The rule for a mailbox's first proof, for whoever else proves one. */
  public MailboxProof mailboxProof() {
    return proof;
  }

  /** What clean-up may delete. */
  public List<Sweep> sweeps() {
    return sweeps;
  }

  /** What an operator can do to accounts. */
  public AccountAdministration administration() {
    return administration;
  }
}
