package org.authservice;

import io.micrometer.core.instrument.MeterRegistry;
import java.net.URI;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.authservice.database.Database;
import org.authservice.database.Installation;
import org.authservice.database.Installations;
import org.authservice.database.LaggingReads;
import org.authservice.operations.Nodes;
import org.authservice.operations.SecretKeys;
import org.authservice.operations.Tracing;
import org.authservice.secret.Keyring;
import org.authservice.secret.Secrets;
import org.authservice.settings.Settings;

/**
 * What stands before the first feature is built.
 *
 * @param folder where the development key is kept; empty for a command, which serves no mailbox
 * @param steady whether the time can be trusted enough to delete, or to call a late token stolen
 */
record Foundation(
    Settings settings,
    URI publicBaseUrl,
    Optional<Path> folder,
    Database database,
    LaggingReads lagging,
    Installations installations,
    Installation installation,
    Keyring keyring,
    SecretKeys secretKeys,
    Nodes nodes,
    BooleanSupplier steady,
    Tracing tracing,
    Clock clock,
    Secrets secrets,
    MeterRegistry meters) {}
