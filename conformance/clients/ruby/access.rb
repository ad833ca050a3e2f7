# A service account with the token in its kubeconfig: it does in its namespace what its role allows, and nothing else.
require_relative 'suite'

core = client
holds('the API is there', core.api_valid?)
holds('reads where it may', core.get_config_maps(namespace: NAMESPACE).size >= 1)
forbidden = refused('reads nodes', 403) { core.get_nodes }
holds('it is told why', forbidden.message.start_with?('nodes is forbidden: User "system:serviceaccount:'))
refused('reads elsewhere', 403) { core.get_secrets(namespace: 'kube-system') }

context = Kubeclient::Config.read(KUBECONFIG).context
stranger = Kubeclient::Client.new(
  context.api_endpoint, 'v1', ssl_options: context.ssl_options, auth_options: { bearer_token: 'nonsense' }
)
refused('has a token that is none', 401) { stranger.discover }
