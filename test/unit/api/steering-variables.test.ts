import { describe, expect, it } from 'vitest';
import { isSteering, steeringProblem } from '../../../src/api/steering-variables.ts';

describe('a variable of a message', () => {
  it.each(
    [
      'PATH HOME LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT GCONV_PATH GLIBC_TUNABLES LOCPATH NLSPATH IFS ENV BASH_ENV',
      'BASH_FUNC_ls%% SHELLOPTS PS4 PYTHONPATH PYTHONSTARTUP PERL5LIB PERL5OPT PERLLIB RUBYOPT RUBYLIB',
      'NODE_OPTIONS NODE_PATH JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS CLASSPATH R_PROFILE_USER',
      'R_ENVIRON R_LIBS_USER JULIA_LOAD_PATH LUA_INIT GIT_SSH_COMMAND OPENSSL_CONF',
      'OMPI_MCA_mca_base_component_path HDF5_PLUGIN_PATH CURL_HOME http_proxy HTTPS_PROXY all_proxy no_proxy',
      'REQUESTS_CA_BUNDLE SSL_CERT_FILE CUDA_INJECTION64_PATH NVTX_INJECTION64_PATH OMP_TOOL_LIBRARIES FI_PROVIDER_PATH',
      'OCL_ICD_FILENAMES OCL_ICD_VENDORS VK_ICD_FILENAMES NCCL_NET_PLUGIN NCCL_CONF_FILE SASL_PATH KRB5_CONFIG',
      'GIO_EXTRA_MODULES GTK_MODULES QT_PLUGIN_PATH MPLBACKEND MATPLOTLIBRC IPYTHONDIR JUPYTER_PATH UCX_MODULE_DIR',
      'I_MPI_ROOT PRTE_MCA_prte_launch_agent MALLOC_PRELOAD CUDA_LIBRARY_PATH',
    ].flatMap((line) => line.split(' ')),
  )('steers: %s', (name) => {
    expect(isSteering(name)).toBe(true);
    expect(steeringProblem(['A', name])).toContain(`variable ${JSON.stringify(name)} is not for a message`);
  });

  it.each(
    [
      // What the service and clients of the original send.
      'MSG message x-nonce _abaco_synchronous x_src_actor_id _abaco_username _abaco_Content-Type',
      '_abaco_access_token _actor_configs _event_type Time_msg_queued tapis_jobId token nonce',
      // What people call parameters of theirs.
      'A x-any NAME path INPUT_PATH MY_HOME R_VALUE R ENVIRONMENT python NODE NODES USER LANG LC_ALL TZ',
      'OMP_NUM_THREADS OMP_PROC_BIND CUDA_VISIBLE_DEVICES NCCL_DEBUG DEBUG JULIA_NUM_THREADS RUN proxy __proto__ plugin',
    ].flatMap((line) => line.split(' ')),
  )('steers nothing: %s', (name) => {
    expect(isSteering(name)).toBe(false);
  });

  it('is no problem where there is none', () => {
    expect(steeringProblem([])).toBeUndefined();
    expect(steeringProblem(['A', 'x-nonce'])).toBeUndefined();
  });
});
