{%- extends "base.tpl" -%}

{%- block title -%}
Nothing to show
{%- endblock -%}

{%- block body -%}
<p>The autograded notebook is not there: <code>{{ resources.filename }}</code>. Autograde the submission again.</p>
{%- endblock -%}
