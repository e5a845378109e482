package org.authservice.testing;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** A test that enters by HTTP, on each database, a fresh service for each method. */
@ParameterizedClass
@EnumSource(Databases.class)
public abstract class HttpTest {
  /** Whoever the test is about. */
  protected static final String ADA = "ada@example.com";

  /** The database this run is on. */
  @Parameter protected Databases engine = Databases.SQLITE;

  /** The service, as it is without settings. */
  protected TestService service;

  @BeforeEach
  final void startService() {
    service = TestService.on(engine);
  }

  @AfterEach
  final void stopService() {
    service.close();
  }
}
