/**
 * Variables that say which code runs, or whom it talks to, whatever the program is: loaders, shells, interpreters and
 * clients of HTTP obey them. Who may send an actor messages and not change it has no say in that: their message could be
 * the library that is loaded, and it would run as the actor's owner, with the owner's token. No such list is ever whole;
 * it holds what images for scientific computing come with. Pure.
 */

const words = (text: string): readonly string[] => text.split(' ');

const exact: ReadonlySet<string> = new Set(
  [
    // Which programs, files and hosts are found by a name.
    words('PATH HOME CDPATH HOSTALIASES XDG_CONFIG_HOME XDG_CONFIG_DIRS XDG_DATA_HOME XDG_DATA_DIRS'),
    // libc: modules of character sets, locales and texts, which may be anybody's files.
    words('GCONV_PATH GLIBC_TUNABLES LOCPATH NLSPATH'),
    // Shells and make: what they read at their start, and how they take a line apart.
    words('ENV BASH_ENV SHELLOPTS BASHOPTS IFS PS4 SHELL ZDOTDIR MAKEFLAGS MAKEFILES'),
    // Interpreters, besides the families below.
    words('PERLLIB GEM_HOME GEM_PATH PHPRC PHP_INI_SCAN_DIR MATLABPATH OCTAVE_PATH TCLLIBPATH'),
    words('CLASSPATH JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS JAVA_OPTS JAVA_HOME'),
    words('R_HOME R_DEFAULT_PACKAGES JULIA_LOAD_PATH JULIA_DEPOT_PATH JULIA_PROJECT JULIA_BINDIR'),
    // Libraries that load others by them.
    words('OPENSSL_CONF OPENSSL_ENGINES OPENSSL_MODULES GDAL_DRIVER_PATH SASL_PATH SASL_CONF_PATH KRB5_CONFIG'),
    words('FI_PROVIDER_PATH OCL_ICD_FILENAMES OCL_ICD_VENDORS VK_ICD_FILENAMES VK_LAYER_PATH NCCL_CONF_FILE'),
    words('GIO_EXTRA_MODULES GIO_MODULE_DIR GTK_MODULES GTK_PATH MPLBACKEND MATPLOTLIBRC IPYTHONDIR'),
    // To whom the token of the execution is shown.
    words('REQUESTS_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR NETRC'),
  ].flat(),
);

/** Beginnings of names. */
const families = [
  words('LD_ BASH_FUNC_ PYTHON PERL5 RUBY BUNDLE_ NODE_ NPM_CONFIG_ npm_config_ LUA_ R_PROFILE R_ENVIRON R_LIBS'),
  words('GIT_ CURL_ CONDA_ PIP_ DOTNET_ OMPI_MCA_ PMIX_MCA_ PRTE_MCA_ I_MPI_ UCX_ JUPYTER_'),
].flat();

/** What libraries call the files that they load: CUDA_INJECTION64_PATH, OMP_TOOL_LIBRARIES, HDF5_PLUGIN_PATH. */
const loaded = /INJECTION|PLUGIN|PRELOAD|LIBRARY_PATH$|_LIBRARIES$/;

export function isSteering(name: string): boolean {
  return (
    exact.has(name) || families.some((family) => name.startsWith(family)) || loaded.test(name) || /_proxy$/i.test(name)
  );
}

/** Why a message may not carry them; nothing when it may. */
export function steeringProblem(names: readonly string[]): string | undefined {
  const name = names.find(isSteering);
  if (name === undefined) return undefined;
  const why = 'it says which code an actor runs or whom that talks to, so it is for those who may UPDATE the actor';
  return `variable ${JSON.stringify(name.slice(0, 80))} is not for a message: ${why}; they set it in default_environment`;
}
