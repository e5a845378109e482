package org.authservice.testing;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A test that enters by HTTP, on each database, a fresh service for each method. With several nodes
 * (see {@link Cluster}) it is run on PostgreSQL only, and without what is tagged {@code one-node}:
 * tests that make nodes of their own, or measure one, or are of what each node counts for itself.
 */
@Tag("http")
@ParameterizedClass
@MethodSource("engines")
public abstract class HttpTest {
  /** Whoever the test is about. */
  protected static final String ADA = "ada@example.com";

  /** The database this run is on. */
  @Parameter protected Databases engine = Databases.SQLITE;

  /** The service, as it is without settings. */
  protected TestService service;

  static List<Databases> engines() {
    return Cluster.size() > 1 ? List.of(Databases.POSTGRES) : List.of(Databases.values());
  }

  @BeforeEach
  final void startService() {
    service = TestService.on(engine);
  }

  @AfterEach
  final void stopService() {
    service.close();
  }
}
