package org.authservice;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.Architectures;
import org.authservice.database.Statement;
import org.authservice.http.Answer;
import org.authservice.http.Problem;
import org.authservice.http.Request;
import org.authservice.http.Route;

@AnalyzeClasses(packages = "org.authservice", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest
  static final ArchRule dependenciesPointOneWay =
      Architectures.layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("json")
          .definedBy("org.authservice.json")
          .layer("secret")
          .definedBy("org.authservice.secret")
          .layer("settings")
          .definedBy("org.authservice.settings")
          .layer("http")
          .definedBy("org.authservice.http")
          .layer("database")
          .definedBy("org.authservice.database")
          .layer("operations")
          .definedBy("org.authservice.operations")
          .layer("audit")
          .definedBy("org.authservice.audit")
          .layer("mail")
          .definedBy("org.authservice.mail")
          .layer("token")
          .definedBy("org.authservice.token")
          .layer("ratelimit")
          .definedBy("org.authservice.ratelimit")
          .layer("account")
          .definedBy("org.authservice.account")
          .layer("password")
          .definedBy("org.authservice.password")
          .layer("otp")
          .definedBy("org.authservice.otp")
          .layer("session")
          .definedBy("org.authservice.session")
          .layer("signin")
          .definedBy("org.authservice.signin")
          .layer("oauth")
          .definedBy("org.authservice.oauth")
          .layer("oidc")
          .definedBy("org.authservice.oidc")
          .layer("docs")
          .definedBy("org.authservice.docs")
          .layer("root")
          .definedBy("org.authservice")
          .whereLayer("json")
          .mayNotAccessAnyLayer()
          .whereLayer("secret")
          .mayNotAccessAnyLayer()
          .whereLayer("settings")
          .mayOnlyAccessLayers("json", "secret")
          .whereLayer("http")
          .mayOnlyAccessLayers("json", "secret", "settings")
          .whereLayer("database")
          .mayOnlyAccessLayers("json", "secret", "settings", "http")
          .whereLayer("operations")
          .mayOnlyAccessLayers("json", "secret", "settings", "http", "database")
          .whereLayer("audit")
          .mayOnlyAccessLayers("json", "secret", "settings", "http", "database", "operations")
          .whereLayer("mail")
          .mayOnlyAccessLayers(
              "json", "secret", "settings", "http", "database", "operations", "audit")
          .whereLayer("token")
          .mayOnlyAccessLayers("json", "secret", "settings", "http", "database", "operations")
          .whereLayer("ratelimit")
          .mayOnlyAccessLayers("json", "secret", "settings", "http", "database", "operations")
          .whereLayer("account")
          .mayOnlyBeAccessedByLayers("otp", "session", "signin", "oauth", "oidc", "root")
          .whereLayer("password")
          .mayOnlyBeAccessedByLayers("otp", "signin", "root")
          .whereLayer("otp")
          .mayOnlyBeAccessedByLayers("signin", "root")
          .whereLayer("session")
          .mayOnlyBeAccessedByLayers("signin", "oauth", "oidc", "root")
          .whereLayer("signin")
          .mayOnlyBeAccessedByLayers("oauth", "oidc", "root")
          .whereLayer("oauth")
          .mayOnlyBeAccessedByLayers("root")
          .whereLayer("oidc")
          .mayOnlyBeAccessedByLayers("root")
          .whereLayer("docs")
          .mayOnlyBeAccessedByLayers("root")
          .whereLayer("root")
          .mayNotBeAccessedByAnyLayer();

  @ArchTest
  static final ArchRule packagesHaveNoCycles =
      slices().matching("org.authservice.(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule onlyHttpKnowsJetty =
      noClasses()
          .that()
          .resideOutsideOfPackage("org.authservice.http")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.eclipse.jetty..");

  @ArchTest
  static final ArchRule onlyStoresMakeStatements =
      noClasses()
          .that()
          .haveSimpleNameNotEndingWith("Store")
          .and()
          .resideOutsideOfPackage("org.authservice.database")
          .should()
          .callMethodWhere(
              com.tngtech.archunit.core.domain.JavaCall.Predicates.target(
                  com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner(
                      com.tngtech.archunit.core.domain.JavaClass.Predicates.type(
                          Statement.class))));

  @ArchTest
  static final ArchRule onlyTheDatabaseTouchesJdbc =
      noClasses()
          .that()
          .resideOutsideOfPackage("org.authservice.database")
          .and()
          .haveSimpleNameNotEndingWith("Store")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("java.sql..");

  @ArchTest
  static final ArchRule storesAreTheirPackagesOwn =
      classes().that().haveSimpleNameEndingWith("Store").should().bePackagePrivate();

  @ArchTest
  static final ArchRule nounsKnowNoRequestsAndAnswers =
      noClasses()
          .that()
          .resideInAnyPackage(
              "org.authservice.audit",
              "org.authservice.token",
              "org.authservice.account",
              "org.authservice.password",
              "org.authservice.otp",
              "org.authservice.session",
              "org.authservice.signin",
              "org.authservice.oauth",
              "org.authservice.oidc",
              "org.authservice.mail")
          .and()
          .haveSimpleNameNotEndingWith("Routes")
          .and()
          .doNotHaveSimpleName("Input")
          .and()
          .doNotHaveSimpleName("Signins")
          .and()
          .doNotHaveSimpleName("Oidc")
          .and()
          .doNotHaveSimpleName("FlowCookie")
          .should()
          .dependOnClassesThat()
          .belongToAnyOf(Request.class, Answer.class, Problem.class, Route.class);

  @ArchTest
  static final ArchRule nothingIsThreadLocal =
      noClasses().should().dependOnClassesThat().belongToAnyOf(ThreadLocal.class);

  @ArchTest
  static final ArchRule timeComesFromAClock =
      noClasses()
          .should()
          .callMethod(java.time.Instant.class, "now")
          .orShould()
          .callMethod(java.time.LocalDateTime.class, "now");
}
